"""The sessions of the benchmark: what is asked can be found in them, and nowhere else."""

from __future__ import annotations

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.session.script import PHRASINGS, Script, make_script


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture(scope="module")
def script() -> Script:
    return make_script(3, 600, 8, words)


def test_what_is_asked(script: Script) -> None:
    kinds = [question.kind for question in script.questions]
    assert (kinds.count("answerable"), kinds.count("unanswerable"), kinds.count("deleted")) == (24, 6, 2)
    can = [question for question in script.questions if question.kind == "answerable"]
    assert len({question.fact for question in can if question.banned}) == 2
    assert {question.phrasing for question in can} == set(PHRASINGS)


def test_an_answer_stands_in_the_fact_and_a_replaced_value_before_it(script: Script) -> None:
    place = {message.id: number for number, message in enumerate(script.messages)}
    for question in script.questions:
        if question.kind == "answerable":
            fact = script.messages[place[question.fact]]
            assert question.answer in fact.text
            assert sum(words(each.text) for each in script.messages[place[question.fact] + 1 :]) == question.behind
            earlier = " ".join(each.text for each in script.messages[: place[fact.id]])
            assert question.banned in earlier
            assert question.answer not in question.text + question.begun
            if question.phrasing == "same words":
                assert fact.text.startswith(question.begun)
            if question.phrasing == "other words":
                assert question.begun
                assert not fact.text.startswith(question.begun)


def test_a_quarter_of_the_facts_is_overwritten() -> None:
    script = make_script(5, 3000, 8, words)
    facts = [message for message in script.messages if message.id.startswith("f")]
    # A fact and its update are two messages, so one in five is an update.
    talk = len(script.messages) - len(facts)
    assert talk / len(script.messages) == pytest.approx(0.2, abs=0.05)
    assert script.tokens >= 3000


def test_deleted_messages_are_asked_about_and_gone(script: Script) -> None:
    deleted = [question for question in script.questions if question.kind == "deleted"]
    assert {question.fact for question in deleted} == script.deleted
    assert script.deleted.isdisjoint(message.id for message in script.left)
    assert all(question.banned and not question.answer for question in deleted)


def test_the_same_seed_gives_the_same_session(script: Script) -> None:
    assert make_script(3, 600, 8, words) == script
    assert make_script(4, 600, 8, words) != script


def test_a_session_that_says_too_little_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too little to ask about 8 facts"):
        make_script(3, 60, 8, words)
