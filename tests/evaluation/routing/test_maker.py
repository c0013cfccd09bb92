"""The router's stream: every kind of question, what is right when, parts that share no fact, fresh wordings."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridmem
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.fiction import padding, relations, small_talk
from hybridmem.evaluation.memory_jobs import smalltalk
from hybridmem.evaluation.routing.maker import FEWEST_FACTS, make_router_stream
from hybridmem.evaluation.routing.question import KINDS, PARTS, RouterQuestion
from hybridmem.evaluation.routing.stream import RouterStream
from hybridmem.evaluation.stream import StreamDelete, StreamFact
from hybridmem.metrics import normalised_answer

NOTHING = {"deleted", "quarantined", "near miss, subject", "near miss, relation", "never stored", "small talk"}
ROOT = Path(hybridmem.__file__).parents[1]


@pytest.fixture(scope="module", params=[0, 1, 2])
def stream(request: pytest.FixtureRequest) -> RouterStream:
    return make_router_stream(request.param)


def known_by(stream: RouterStream, question: RouterQuestion) -> dict[str, StreamFact]:
    """The facts told by then, also those that are gone since."""
    return {fact.id: fact for fact in stream.facts if fact.night <= question.night}


def gone_by(stream: RouterStream, question: RouterQuestion) -> tuple[set[str], set[str]]:
    deleted = {e.fact for e in stream.events if isinstance(e, StreamDelete) and e.night <= question.night}
    return deleted, {e.fact for e in stream.quarantines if e.night <= question.night}


def test_ten_nights_have_six_hundred_questions_of_every_kind_in_every_part(stream: RouterStream) -> None:
    assert len(stream.questions) >= 600
    assert {(question.kind, question.part) for question in stream.questions} == {(k, p) for k in KINDS for p in PARTS}
    assert len({question.id for question in stream.questions}) == len(stream.questions)
    assert {question.kind for question in stream.questions if question.answer is None} == NOTHING
    assert {question.kind for question in stream.questions if question.moment == "day"} == {
        "told today", "superseded before the dream", "two-hop", "deleted", "quarantined"
    }  # fmt: skip


def test_as_many_facts_on_every_day_beside_what_is_set_aside_at_once(stream: RouterStream) -> None:
    at_once = {(each.night, each.fact) for each in stream.quarantines}
    for night in range(1, 11):
        told = [event for event in stream.on(night) if isinstance(event, StreamFact)]
        assert sum((night, fact.id) not in at_once for fact in told) == 10


@given(st.integers(), st.integers(2, 4), st.integers(FEWEST_FACTS, 12))
@settings(max_examples=15, deadline=None)
def test_the_same_arguments_give_the_same_stream(seed: int, nights: int, facts: int) -> None:
    stream = make_router_stream(seed, nights, facts)
    assert stream == make_router_stream(seed, nights, facts)
    assert {question.kind for question in stream.questions} == set(KINDS)
    assert stream.sha256 != make_router_stream(seed + 1, nights, facts).sha256


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(stream: RouterStream) -> None:
    assert make_router_stream(stream.seed, 4) == stream.until(4)
    assert stream.until(10) == stream == stream.until(11)


@pytest.mark.parametrize(("nights", "facts"), [(1, 10), (10, 4), (0, 0)])
def test_a_stream_too_small_for_every_kind_is_refused_in_one_line(nights: int, facts: int) -> None:
    with pytest.raises(InvalidInput, match=f"{nights} nights of {facts} facts: every kind") as caught:
        make_router_stream(0, nights, facts)
    assert "\n" not in str(caught.value)


def test_no_fact_is_in_two_parts(stream: RouterStream) -> None:
    parts = defaultdict(set)
    for question in stream.questions:
        parts[question.fact].add(question.part)
        for fact in stream.facts:
            if fact.supersedes == question.fact:
                parts[fact.id].add(question.part)
    assert all(len(of_fact) == 1 for of_fact in parts.values())


def test_what_is_right_is_what_stands_at_that_moment(stream: RouterStream) -> None:
    for question in stream.questions:
        facts = known_by(stream, question)
        deleted, quarantined = gone_by(stream, question)
        if question.kind in NOTHING:
            assert question.answer is None
            for name, gone in (("deleted", deleted), ("quarantined", quarantined)):
                banned = getattr(question, name)
                assert banned == ((facts[question.fact].answer,) if question.kind == name else ())
                assert question.kind != name or question.fact in gone
            continue
        line = [facts[question.fact], *(f for f in facts.values() if f.supersedes == question.fact)]
        assert question.fact not in deleted | quarantined
        if question.kind == "two-hop":
            thing = re.search(r"looks after the (\w+) server", question.text)[1]
            (joint,) = [f for f in facts.values() if f.relation == "looked after by" and thing in f.text]
            (asked,) = [f for f in facts.values() if f.answer == question.answer and joint.answer in f.text]
            assert {joint.night, asked.night} == {question.night - 1, question.night}
        elif question.kind == "as of":
            assert question.answer in {fact.answer for fact in line} and len(line) == 2
            day = int(re.search(r"(\d+) March 2026\?", question.text)[1])
            held = [fact for fact in line if fact.night <= day]
            assert held[-1].answer == question.answer
        else:
            assert question.answer == line[-1].answer
            assert question.stale == tuple(fact.answer for fact in line[:-1])


def test_before_the_dream_is_what_no_dream_has_read(stream: RouterStream) -> None:
    told = {fact.id: fact.night for fact in stream.facts}
    for question in stream.questions:
        if question.kind == "told today":
            assert told[question.fact] == question.night
        if question.kind == "superseded before the dream":
            (new,) = [fact for fact in stream.facts if fact.supersedes == question.fact]
            assert told[question.fact] < new.night == question.night


def test_nothing_says_what_a_near_miss_asks(stream: RouterStream) -> None:
    for question in stream.questions:
        if question.kind.startswith("near miss") or question.kind == "never stored":
            answerable = {text for fact in known_by(stream, question).values() for text in fact.test_questions}
            assert question.text not in answerable
    never = {fact.relation for fact in stream.facts}
    assert len(never) == len(relations()) - 2


def test_a_long_memory_holds_its_fact_in_the_middle(stream: RouterStream) -> None:
    long = {fact.id: fact for fact in stream.facts if len(fact.text) > 500}
    assert {question.fact for question in stream.questions if question.kind == "long memory"} <= set(long)
    for fact in long.values():
        assert 200 < fact.text.index(fact.answer) < len(fact.text) - 200


def test_a_question_and_its_paraphrase_are_asked_in_one_night_in_two_wordings(stream: RouterStream) -> None:
    for question in stream.questions:
        if question.kind == "paraphrase":
            first = [
                each
                for each in stream.questions
                if (each.kind, each.night, each.fact) == ("consolidated", question.night, question.fact)
            ]
            assert first and all(each.text != question.text and each.answer == question.answer for each in first)


def test_the_wordings_are_complete() -> None:
    for relation in relations():
        assert len(relation.indirect) == 2
        for template in (*relation.indirect, relation.dated):
            assert template.count("{s}") == 1 and "{o}" not in template and template.endswith("?"), template
        assert relation.dated.count("{d}") == 1
    assert len(set(small_talk())) == len(small_talk()) >= 20
    assert len(set(padding())) == len(padding()) >= 40


def shape(text: str) -> str:
    """A template without its slots."""
    return normalised_answer(re.sub(r"\{[^}]*\}", " ", text))


def strings(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        value = [*value.values()]
    return set().union(*map(strings, value)) if isinstance(value, list | tuple) else set()


def test_no_surface_form_is_in_a_training_template() -> None:
    """Neither of the bundled base's documents nor of the memory skills'."""
    folders = [ROOT / "hybridmem" / "evaluation" / "memory_jobs", ROOT / "lab"]
    trained = set()
    for path in (path for folder in folders for path in folder.rglob("*.toml")):
        trained |= strings(tomllib.loads(path.read_text(encoding="utf-8")))
    for told in (smalltalk.OPENERS, smalltalk.CLOSERS, smalltalk.FILLERS, smalltalk.NO_FACTS, smalltalk.CHAT):
        trained |= strings(told)
    source = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    shapes = {shape(text) for text in trained}
    assert len(shapes) > 1000
    wordings = [text for each in relations() for text in (*each.questions, *each.indirect, each.dated)]
    for text in (*wordings, *small_talk(), *padding()):
        assert shape(text) not in shapes, text
        assert text not in source, text
