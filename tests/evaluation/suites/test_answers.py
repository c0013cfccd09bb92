"""What is answered about conversations, scored on one small enough to check by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.suites.answers import run
from hybridmem.models.fake import FakeModel
from tests.evaluation.suites.test_retrieval_bench import sample

QA = [
    {"question": "Where does Ana live?", "evidence": ["D1:1"], "category": 4, "answer": "Porto"},
    {"question": "Where does Ana work?", "evidence": ["D1:2"], "category": 4, "answer": "the docks of Porto"},
    {"question": "What is Ana's cat called?", "evidence": ["D1:1"], "category": 5, "adversarial_answer": "Tom"},
    {"question": "Tell me of Ana.", "evidence": ["D1:1"], "category": 3, "answer": "word " * 11},
]


def ask(file: Path, **options: Any) -> dict[str, Any]:
    return run(file, model=FakeModel(), embedder="hashing", progress=lambda *_: None, **options)


@pytest.fixture
def conversation(tmp_path: Path) -> Path:
    told = sample("one")
    turns = ["Ana lives in Porto.", "Ana works in Porto."]
    told["conversation"]["session_1"] = [  # type: ignore[index]
        {"speaker": "Ana", "dia_id": f"D1:{number}", "text": text} for number, text in enumerate(turns, 1)
    ]
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([{**told, "qa": QA}]))
    return file


def test_answers_are_scored_by_type(conversation: Path) -> None:
    result = ask(conversation)
    assert (result["questions"], result["unanswerable"], result["longer_answers"]) == (2, 1, 1)
    assert set(result["by_type"]) == {"single-hop", "adversarial"}
    assert result["by_type"]["adversarial"]["exact_match"] is None, "nothing is the right answer to it"
    said = {each["question"]: each for each in result["answers"]}
    assert said["Where does Ana live?"]["said"].rstrip(".") == "Porto"
    assert said["Where does Ana live?"]["f1"] == 1.0
    assert result["exact_match"] == 0.5
    assert 0.5 < result["f1"] < 1.0, "one word of three"
    assert result["f1_low"] <= result["f1"] <= result["f1_high"]
    json.dumps(result)


def test_a_draw_is_of_each_conversation_and_by_the_seed(conversation: Path) -> None:
    first, again = ask(conversation, questions=1, seed=3), ask(conversation, questions=1, seed=3)
    assert len(first["answers"]) == 1
    assert [each["question"] for each in first["answers"]] == [each["question"] for each in again["answers"]]


def test_a_file_without_short_answers_is_refused(conversation: Path) -> None:
    conversation.write_text(json.dumps([{**sample("one"), "qa": QA[3:]}]))
    with pytest.raises(InvalidInput, match="no question with a short answer"):
        ask(conversation)
