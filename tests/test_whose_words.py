"""Nobody's words pass for the user's, whichever way they come in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory, ImportedTurn
from hybridmem.core.errors import InvalidInput
from hybridmem.importers import IntactTurns, read
from hybridmem.integrations.mem0 import Memory

SAID = "I moved to Berlin."
ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "agent",
    "gemini": "agent",
    "bot": "agent",
    "system": "tool",
    "tool": "tool",
    "ipython": "tool",
    "observation": "tool",
    "critic": "web",
}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", ledger="memory", embedder="hashing") as opened:
        yield opened


@pytest.mark.parametrize(("role", "trust"), ROLES.items())
def test_a_role_has_the_same_trust_on_every_path(memory: HybridMemory, tmp_path: Path, role: str, trust: str) -> None:
    lines = tmp_path / "log.jsonl"
    lines.write_text(json.dumps({"role": role, "content": SAID}) + "\n" + json.dumps({"type": role, "content": SAID}))
    document = tmp_path / "chat.json"
    document.write_text(json.dumps({"messages": [{"role": role, "content": SAID}]}))
    stored = [
        *memory.add(SAID, role=role),
        *memory.add([{"role": role, "content": SAID}, {"type": role, "content": [{"type": "text", "text": SAID}]}]),
        *memory.add_turns([ImportedTurn(SAID, role)]),
        *memory.add_turns(IntactTurns(read(lines))),
        *memory.add_turns(IntactTurns(read(document))),
    ]
    Memory(memory=memory).add([{"role": role, "content": SAID}], user_id="ana")
    owned = [each for name in memory.ledger.namespaces() if name != memory.namespace for each in memory.at(name).list()]
    assert bool(owned) == (role != "system"), "Mem0 leaves system messages out"
    assert {episode.trust for episode in (*stored, *owned)} == {trust}
    assert len({episode.role for episode in stored}) == 1


def test_a_search_takes_a_role_in_any_of_its_spellings(memory: HybridMemory) -> None:
    said = memory.add(SAID, role="gemini")[0]
    for role in ("assistant", "AI", "Model", ["human", "bot"]):
        assert [hit.id for hit in memory.search(SAID, role=role)] == [said.id]
    assert memory.search(SAID, role="human") == []


def test_trust_can_be_lowered_and_not_raised(memory: HybridMemory) -> None:
    assert memory.add(SAID, trust="web")[0].trust == "web"
    assert memory.add(SAID, role="tool", trust="user")[0].trust == "tool"
    assert memory.add([{"role": "user", "content": SAID}], trust="tool")[0].trust == "tool"
    assert memory.add([{"role": "tool", "content": SAID, "trust": "user"}])[0].trust == "tool"
    assert memory.add([{"role": "user", "content": SAID, "trust": "agent"}])[0].trust == "agent"


def test_a_trust_that_is_none_is_refused_at_every_door(memory: HybridMemory) -> None:
    odd: Any = "owner"
    for refused in (
        lambda: memory.add(SAID, trust=odd),
        lambda: memory.add([{"role": "user", "content": SAID, "trust": odd}]),
        lambda: memory.add([{"role": "user", "content": SAID}], trust=odd),
        lambda: memory.add_turns([ImportedTurn(SAID, trust=odd)]),
        lambda: memory.add_fact("Ana", "lives in", "Berlin", trust=odd),
    ):
        with pytest.raises(InvalidInput, match="user, agent, tool, web"):
            refused()
    assert memory.list() == []


def test_a_trust_that_an_older_ledger_took_is_the_least(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        episode, stated = memory.add(SAID)[0], memory.add_fact("Ana", "lives in", "Berlin")
    with sqlite3.connect(tmp_path / "m" / "ledger.sqlite3") as ledger:
        ledger.execute("UPDATE episodes SET trust = 'owner'")
        ledger.execute("UPDATE facts SET trust = 'owner'")
    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        assert (memory.get(episode.id).trust, memory.get(stated.id).trust) == ("web", "web")
        assert memory.add_fact("Ana", "lives in", "Berlin").trust == "user"
        memory.export(tmp_path / "a.jsonl")
    with HybridMemory.open(tmp_path / "n", embedder="hashing") as other:
        assert other.import_(tmp_path / "a.jsonl").memories == 2


def test_the_log_of_an_agent_keeps_its_roles(memory: HybridMemory, tmp_path: Path) -> None:
    log = tmp_path / "session-1.jsonl"
    log.write_text(
        '{"type":"user","content":[{"text":"Where is Heron?"}]}\n'
        '{"type":"gemini","content":[{"text":"I moved to Berlin."}]}\n'
        '{"role":"model","parts":[{"text":"Noted."}]}\n'
    )
    stored = memory.add_turns(IntactTurns(read(log)))
    assert [(e.role, e.trust, e.text) for e in stored] == [
        ("user", "user", "Where is Heron?"),
        ("assistant", "agent", "I moved to Berlin."),
        ("assistant", "agent", "Noted."),
    ]


def test_a_kind_of_line_is_no_role(memory: HybridMemory) -> None:
    (said,) = memory.add([{"type": "message", "text": SAID}])
    assert (said.role, said.trust) == ("user", "user")
