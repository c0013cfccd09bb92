"""The hand-written cases: that they are well-formed, unknown to the training documents, and judged as they say."""

from __future__ import annotations

import doctest
import json
import re
from collections import Counter
from itertools import islice

import pytest

from hybridmem.evaluation.suites.model import plain_english
from hybridmem.evaluation.suites.model.plain_english import PlainCase, PlainFact, accepted, load, matched
from hybridmem.models.prompts import NO_FACTS, REFUSAL
from lab.documents import stream

CASES = load()


def test_documentation_examples() -> None:
    assert doctest.testmod(plain_english).failed == 0


def test_there_are_as_many_of_each_group_as_there_should_be() -> None:
    assert Counter(case.group for case in CASES) == {
        "1 to 4 memories": 45,
        "5 to 8 memories": 25,
        "9 to 12 memories": 15,
        "update": 15,
        "refuse": 25,
        "facts": 15,
        "who, when, yes or no": 10,
    }
    assert len({case.id for case in CASES}) == len(CASES) == 150
    assert len({(case.question, case.memories) for case in CASES}) == 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_is_well_formed(case: PlainCase) -> None:
    text = "\n".join(case.memories).lower()
    assert 1 <= len(case.memories) <= 12
    assert all(line == line.strip() and len(line) < 120 for line in case.memories)
    assert re.fullmatch(r"[a-z-]+", case.id)
    if case.job == "facts":
        assert not case.question and not case.answers and len(case.memories) == 1
        for fact in case.facts:
            assert any(name.lower() in text for name in fact.subject)
            assert any(value.lower() in text for value in fact.object)
        return
    assert case.question.endswith("?")
    assert not case.facts
    if case.job == "refuse":
        assert not case.answers
    elif case.job == "yes-no":
        assert case.answers in {("Yes",), ("No",)}
    else:
        assert any(answer.lower() in text for answer in case.answers), "an answer is words of the memories"
        assert not any(accepted(case.question, [answer]) for answer in case.answers)
    if case.job == "update":
        assert len(case.memories) > 1


def test_an_answer_is_right_and_a_refusal_is_not_unless_it_should_be() -> None:
    for case in CASES:
        if case.job == "refuse":
            assert case.is_right(REFUSAL) and not case.is_right(case.memories[0])
        elif case.job != "facts":
            assert all(case.is_right(answer) for answer in case.answers), case.id
            assert not case.is_right(REFUSAL) and not case.is_right("")


def test_facts_are_right_if_all_are_there_and_no_others() -> None:
    fact = PlainFact(("I",), ("penicillin",))
    case = PlainCase("x", "facts", ("I'm allergic to penicillin.",), facts=(fact,))
    assert case.is_right("I | allergic to | penicillin")
    assert not case.is_right("I | allergic to | penicillin\nI | like | penicillin")
    assert not case.is_right("penicillin | allergic to | I")
    assert not case.is_right(NO_FACTS)
    assert matched([("I", "is allergic to", "penicillin")] * 2, [fact]) == 1
    assert PlainCase("x", "facts", ("Hi!",)).is_right(NO_FACTS)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("The second floor.", True),
        ("on the second floor", True),
        ("It's on the second floor, next to the stairs", False),
        ("floor second", False),
        ("first floor", False),
        ("secondfloor", False),
    ],
)
def test_what_may_stand_around_an_answer(said: str, right: bool) -> None:
    assert accepted(said, ["second floor"]) is right


def test_no_training_document_holds_a_line_of_theirs() -> None:
    documents = json.dumps(list(islice(stream(11, None), 600)), ensure_ascii=False).lower()
    lines = {line.lower() for case in CASES for line in case.memories if len(line.split()) > 3}
    assert len(lines) > 400
    assert not [line for line in lines if json.dumps(line, ensure_ascii=False)[1:-1] in documents]
    questions = {case.question.lower() for case in CASES if case.question}
    assert not [question for question in questions if json.dumps(question)[1:-1] in documents]
