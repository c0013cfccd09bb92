"""LongMemEval's files, as published and with several questions to a history."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.evaluation.conversations import longmemeval

SAMPLE = Path(__file__).parents[4] / "shared/data/longmemeval_sample/longmemeval_s_sample.json"


def history(**fields: Any) -> dict[str, Any]:
    return {
        "question_id": "q1",
        "question_type": "multi-session",
        "question": "How many ferrets do I have?",
        "answer": 2,
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 10:00"],
        "haystack_session_ids": ["answer_1", "other"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I adopted two ferrets.", "has_answer": True},
                {"role": "assistant", "content": "Lovely!"},
            ],
            [{"role": "user", "content": "What is a good tea?"}, {"role": "assistant", "content": " "}],
        ],
        "answer_session_ids": ["answer_1"],
        **fields,
    }


def read(folder: Path, *histories: object) -> list[Any]:
    file = folder / "longmemeval.json"
    file.write_text(json.dumps(histories))
    return longmemeval.load(file)


def test_a_published_history(tmp_path: Path) -> None:
    (found,) = read(tmp_path, history())
    assert [(turn.role, turn.text, turn.session) for turn in found.turns] == [
        ("user", "I adopted two ferrets.", "answer_1"),
        ("assistant", "Lovely!", "answer_1"),
        ("user", "What is a good tea?", "other"),
    ], "what has no words is left out"
    assert found.places == ("answer_1", "answer_1", "other")
    assert found.ended == datetime(2023, 5, 21, 10, tzinfo=UTC)
    (question,) = found.questions
    assert (question.type, question.evidence, question.answer) == ("multi-session", ("answer_1",), "2")
    assert question.asked_on == datetime(2023, 5, 30, 23, 40, tzinfo=UTC)
    assert found.with_evidence == [question]


def test_what_the_history_does_not_answer_is_to_be_refused(tmp_path: Path) -> None:
    (found,) = read(tmp_path, history(question_id="q1_abs", answer="You never said so."))
    (question,) = found.questions
    assert (question.type, question.answerable, question.answer) == ("abstention", False, None)
    assert found.with_evidence == []


def test_several_questions_of_one_history(tmp_path: Path) -> None:
    (found,) = read(
        tmp_path,
        history(
            questions=["How many ferrets?", "Which tea is good?"],
            answers=["two", "Assam"],
            answer_session_ids=[["answer_1"], ["other"]],
        ),
    )
    assert [(each.type, each.evidence) for each in found.questions] == [
        ("multi-session", ("answer_1",)),
        ("filler session", ("other",)),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"haystack_dates": ["yesterday", None]}, "not a date"),
        ({"haystack_session_ids": ["one"]}, "haystack_session_ids are not equally many"),
        ({"haystack_sessions": ["Hello.", []]}, "'str'"),
        ({"questions": ["Who?"], "answers": [], "answer_session_ids": [["other"]]}, "not equally many"),
    ],
)
def test_a_broken_history_is_named(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=f"q1: .*{said}"):
        read(tmp_path, history(**fields))


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="LongMemEval's format"):
        read(tmp_path, {"conversation": {}})


def test_the_sample_where_it_is_there() -> None:
    if not SAMPLE.is_file():
        pytest.skip(f"{SAMPLE} is not here")
    found = longmemeval.load(SAMPLE)
    assert [len(each.with_evidence) for each in found] == [9, 9, 8]
    for each in found:
        named = {place for question in each.questions for place in question.evidence}
        assert named <= set(each.places)
