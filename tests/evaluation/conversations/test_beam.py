"""BEAM's chats, in the folders of its repository and as rows of its data set."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.evaluation.conversations import beam

MESSAGES = [
    {"role": "user", "id": 0, "time_anchor": "March-15-2024", "content": "My sprint ends on March 29. ->-> 1,1"},
    {"role": "assistant", "id": 1, "content": "Noted."},
]
LATER = [{"role": "user", "id": 2, "time_anchor": "April-05-2024", "content": "It ends on April 2 ->-> 2,1"}]
QUESTIONS = {
    "abstention": [{"question": "What is my cat called?", "ideal_response": "There is no information."}],
    "knowledge_update": [
        {
            "question": "When does my sprint end?",
            "answer": "April 2",
            "source_chat_ids": {"original_info": [0], "updated_info": [2, 2]},
        }
    ],
    "summarization": [{"question": "Sum it up.", "ideal_summary": "A sprint.", "source_chat_ids": [0, 7]}],
}


def batch(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"batch_number": 1, "time_anchor": None, "turns": [messages[:1], messages[1:]]}


def folder(at: Path, chat: object, questions: object = QUESTIONS) -> Path:
    (at / "probing_questions").mkdir(parents=True)
    (at / "chat.json").write_text(json.dumps(chat))
    (at / "probing_questions/probing_questions.json").write_text(json.dumps(questions))
    return at


def test_a_chat_of_the_repository(tmp_path: Path) -> None:
    for name in ("10", "2"):
        folder(tmp_path / "100K" / name, [batch(MESSAGES), batch(LATER)])
    found = beam.load(tmp_path)
    assert [each.name for each in found] == ["100K-2", "100K-10"]
    chat = found[0]
    assert [turn.text for turn in chat.turns] == ["My sprint ends on March 29.", "Noted.", "It ends on April 2"]
    assert [turn.at for turn in chat.turns[:2]] == [datetime(2024, 3, 15, tzinfo=UTC)] * 2
    assert chat.turns[2].session == "100K-2/2"
    refused, updated, summed = chat.questions
    assert (refused.type, refused.answerable) == ("abstention", False)
    assert (updated.type, updated.answer, updated.evidence) == ("knowledge update", "April 2", ("0", "2"))
    assert summed.evidence == (), "a message that is not there says nothing of where the answer is"
    assert summed.answer is None, "a summary is no short answer"


def test_batches_within_plans_and_numbers_that_stand_twice(tmp_path: Path) -> None:
    chat = [{"plan-1": [batch(MESSAGES)], "plan-2": None}, {"plan-2": [batch(LATER), batch(MESSAGES[:1])]}]
    (found,) = beam.load(folder(tmp_path / "10M" / "1", chat))
    assert [turn.session for turn in found.turns] == ["10M-1/1", "10M-1/1", "10M-1/2", "10M-1/3"]
    assert found.with_evidence == [], "message 0 is two messages"


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
@pytest.mark.parametrize("written", [repr, json.dumps])
def test_rows_of_the_data_set(tmp_path: Path, suffix: str, written: Any) -> None:
    row = json.dumps({"conversation_id": "4", "chat": [MESSAGES, LATER], "probing_questions": written(QUESTIONS)})
    file = tmp_path / f"rows.{suffix}"
    file.write_text(row + "\n" if suffix == "jsonl" else f"[{row}]")
    (found,) = beam.load(file)
    assert (found.name, len(found.turns), len(found.with_evidence)) == ("4", 3, 1)


def test_other_files_are_refused(tmp_path: Path) -> None:
    broken = folder(tmp_path / "a" / "1", [batch(MESSAGES)], {"abstention": [{"answer": "no question"}]})
    with pytest.raises(UnknownFormat, match="a-1 is not in BEAM's format"):
        beam.load(broken)
    (tmp_path / "rows.json").write_text("[{}]")
    with pytest.raises(UnknownFormat, match="BEAM's format"):
        beam.load(tmp_path / "rows.json")
    (broken / beam.QUESTIONS).unlink()
    with pytest.raises(InvalidInput, match="without probing_questions"):
        beam.load(broken)
    with pytest.raises(InvalidInput, match="no file"):
        beam.load(tmp_path / "missing")
