"""One ordinary input that is odd costs itself at most, and nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.importers import IntactTurns, read
from hybridmem.models.fake import FakeModel

WORDLESS: list[dict[str, Any]] = [
    {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "clock"}}]},
    {"role": "assistant", "content": None, "tool_calls": []},
    {"role": "assistant", "content": [], "tool_calls": []},
    {"role": "assistant", "tool_calls": []},
    {"role": "assistant"},
    {"role": "assistant", "content": [{"type": "text", "text": ""}]},
    {"role": "user", "content": "  \n"},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
    {"role": "tool", "content": ""},
    {"role": "user", "content": [{"type": "tool_result", "content": ""}]},
]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", ledger="memory", embedder="hashing", model=FakeModel()) as opened:
        yield opened


@pytest.mark.parametrize("odd", WORDLESS, ids=str)
def test_a_turn_without_words_is_left_out(memory: HybridMemory, odd: dict[str, Any]) -> None:
    stored = memory.add([{"role": "user", "content": "What time is it?"}, odd, {"role": "tool", "content": "10:35"}])
    assert [(e.role, e.trust, e.text) for e in stored] == [
        ("user", "user", "What time is it?"),
        ("tool", "tool", "10:35"),
    ]
    with pytest.raises(InvalidInput, match="no messages"):
        memory.add([odd])


def test_a_message_whose_words_have_another_name_is_not_lost_in_silence(memory: HybridMemory) -> None:
    with pytest.raises(InvalidInput, match="no text or content"):
        memory.add([{"role": "user", "txt": "I like tea."}])


def test_half_of_an_emoji_costs_only_itself(memory: HybridMemory) -> None:
    said, answered = memory.add(
        [
            {"role": "user", "content": "I moved to Porto \ud83d", "name": "A\udc00"},
            {"role": "assistant", "content": "Nice!"},
        ],
        session="s\ud800",
    )
    assert (said.text, said.speaker, said.session) == ("I moved to Porto \ufffd", "A\ufffd", "s\ufffd")
    assert [hit.id for hit in memory.search("Porto \ud83d", limit=1)] == [said.id]
    assert memory.answer("Where did I move \ud83d?").text
    stated = memory.add_fact("Ana", "lives in", "Porto \ud83d")
    assert stated.object == "Porto \ufffd"
    with pytest.raises(UnknownMemory):
        memory.get("ep_\ud83d")
    assert memory.update(answered.id, "So nice \ud83d").text == "So nice \ufffd"
    (whole,) = memory.add("\ud83d\ude00 is one character")
    assert whole.text[0] == "😀"
    (tagged,) = memory.add("x", metadata={"k\ud83d": ["v\ud83d", {"\udc00": "\ud83d\ude00"}]}, tags=["t\ud83d"])
    assert tagged.metadata == {"k\ufffd": ["v\ufffd", {"\ufffd": "😀"}], "tags": ["t\ufffd"]}


def test_a_value_that_json_does_not_hold_costs_its_line_alone(memory: HybridMemory, tmp_path: Path) -> None:
    good = [json.dumps({"role": "user", "content": f"line {number}"}) for number in range(8)]
    bad = ['{"content": "x", "metadata": {"a": NaN}}', '{"content": "y", "score": Infinity}']
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([*good[:3], *bad, *good[3:]]))
    turns = IntactTurns(read(path))
    assert [episode.text for episode in memory.add_turns(turns)] == [f"line {number}" for number in range(8)]
    assert [line.number for line in turns.broken] == [4, 5]
    assert all("JSON" in line.reason for line in turns.broken)


def test_one_very_long_memory_stops_no_answer_and_no_dream(memory: HybridMemory) -> None:
    memory.add("I live in Lisbon. " + "Then I walked on and on. " * 2000)
    memory.add("Ben lives in Oslo.")
    assert [answer.text for answer in memory.answer_many(["Where do I live?", "Where does Ben live?"])] == [
        "Lisbon",
        "Oslo",
    ]
    assert memory.dream().status == "promoted"
    assert memory.dream().status == "nothing"
