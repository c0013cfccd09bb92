"""The demo's log and its questions: they fit each other, and nothing of them was trained on."""

from __future__ import annotations

import re

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.text.tokens import normalised
from hybridmem.evaluation.demo import days
from hybridmem.evaluation.memory_jobs import relations
from hybridmem.importers import ImportedTurn, read

DAYS = days.load()


def turns() -> list[ImportedTurn]:
    found = [entry for log in (*DAYS.logs, DAYS.later) for entry in read(log)]
    assert all(isinstance(entry, ImportedTurn) for entry in found), "every line of the log can be imported"
    return [entry for entry in found if isinstance(entry, ImportedTurn)]


def test_it_is_a_log_of_several_days() -> None:
    assert len(turns()) >= 60
    assert len({turn.session for turn in turns()}) >= 4


def test_every_fact_is_told_on_its_day() -> None:
    for log, facts in zip(DAYS.logs, DAYS.facts, strict=True):
        said = [turn.text for turn in read(log) if isinstance(turn, ImportedTurn)]
        for fact in facts:
            assert any(fact.answer in text for text in said), fact


def test_every_question_names_its_subject_and_not_its_answer() -> None:
    for fact in (fact for facts in DAYS.facts for fact in facts):
        for question in fact.questions:
            assert fact.answer.lower() not in question.lower(), question
            if fact.subject != "I":
                assert normalised(fact.subject) in normalised(question), question


def test_nothing_answers_the_unanswerable() -> None:
    known = {normalised(question) for facts in DAYS.facts for fact in facts for question in fact.questions}
    assert len(DAYS.unanswerable) >= 20
    assert not known & {normalised(question) for question in DAYS.unanswerable}


def pattern(form: str) -> re.Pattern[str]:
    """What a training form looks like once it is filled."""
    words = re.split(r"\{\w+\}", normalised(form))
    return re.compile(".+".join(map(re.escape, words)))


def test_no_question_is_worded_as_a_training_form() -> None:
    """Held-out phrasings: no wording of the demo's questions is one that the bundled base was trained to ask."""
    trained = [pattern(form) for relation in relations.load() for form in relation.train.questions]
    trained += [pattern(form) for relation in relations.load() for form in relation.train.first_person_questions]
    asked = [question for facts in DAYS.facts for fact in facts for question in fact.questions]
    same = [question for question in asked if any(form.fullmatch(normalised(question)) for form in trained)]
    assert same == []


def test_a_missing_log_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="make demo"):
        days.load(days.FOLDER.parent / "no-such-days")
