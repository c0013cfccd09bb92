"""What the facts of the open vocabulary promise."""

from __future__ import annotations

import re
from random import Random

import pytest

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs.open_relations import OpenFact, attributes, draw, events, nouns
from hybridmem.evaluation.memory_jobs.open_relations.facts import HELD_OUT, tables
from hybridmem.evaluation.memory_jobs.values import kinds

COUNT = 3000


def drawn(count: int = COUNT, seed: int = 1, held_out: bool = False) -> list[OpenFact]:
    rng = Random(seed)
    return [draw(rng, held_out) for _ in range(count)]


def test_the_same_seed_gives_the_same_facts() -> None:
    assert drawn(100) == drawn(100) != drawn(100, seed=2)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_statement_holds_its_fact(held_out: bool) -> None:
    for fact in drawn(held_out=held_out):
        assert fact.value.lower() in fact.statement.lower(), fact
        if fact.subject == SPEAKER:
            assert re.search(r"\b(I|[Mm]y|[Mm]e)\b", fact.statement), fact
        else:
            assert fact.subject.lower() in fact.statement.lower(), fact


@pytest.mark.parametrize("held_out", [False, True])
def test_a_question_holds_the_subject_and_not_the_answer(held_out: bool) -> None:
    for fact in drawn(held_out=held_out):
        assert len(set(fact.questions)) == len(fact.questions) >= 3
        for question in fact.questions:
            if fact.subject != SPEAKER:
                assert fact.subject.lower() in question.lower(), fact
        if fact.reverse_question is not None:
            assert fact.subject != SPEAKER
            assert fact.statement != fact.reverse_question


def test_the_text_is_tidy() -> None:
    for fact in (*drawn(), *drawn(held_out=True)):
        for text in (fact.statement, fact.value, fact.relation, *fact.questions, fact.reverse_question or "Who?"):
            assert text == " ".join(text.split())
            assert not re.search(r"[{}|~]| [.,?]", text), text
            assert not re.search(r"\ba [aei]\w+|\ban [bcdfgjklmnpqrstvwz]\w|\b(\w+) \1\b(?!!)", fact.value), fact


def test_the_speaker_has_a_fifth_of_the_facts() -> None:
    facts = drawn()
    assert 0.15 < sum(fact.subject == SPEAKER for fact in facts) / len(facts) < 0.25
    assert 0.4 < sum(fact.relation.endswith(" is") for fact in facts) / len(facts) < 0.6


def test_the_vocabulary_is_large() -> None:
    trained, kept = attributes.names(held_out=False), attributes.names(held_out=True)
    assert len(trained) >= 220
    assert len(kept) >= 30
    assert trained.isdisjoint(kept)
    trained, kept = events.verbs(held_out=False), events.verbs(held_out=True)
    assert len(trained) >= 160
    assert len(kept) >= 20
    assert trained.isdisjoint(kept)
    words = [nouns.classes(held_out).values() for held_out in (False, True)]
    trained, kept = (frozenset(noun for some in half for noun in some.nouns) for half in words)
    assert len(trained) >= 400
    assert trained.isdisjoint(kept)
    trained, kept = (frozenset(word for some in half for word in some.adjectives) for half in words)
    assert len(trained) >= 150
    assert trained.isdisjoint(kept)
    assert all(some.nouns and some.adjectives for half in words for some in half)


def test_held_out_relations_and_frames_are_never_trained() -> None:
    trained, kept = drawn(), drawn(held_out=True)
    assert {fact.relation for fact in trained if fact.relation.endswith(" is")}.isdisjoint(
        fact.relation for fact in kept
    )
    asked = str([fact.questions for fact in trained]).replace('"', "'")
    for file in ("attributes.toml", "events.toml"):
        for name in ("frames", "frames_for_speaker"):
            for frame in tables(file)[name]["questions"][-HELD_OUT["questions"] :]:
                first, *pieces = re.split(r"\{\w+\}", frame)
                assert (f"'{first}" if first else max(pieces, key=len)) not in asked


def test_more_facts_can_be_drawn_about_a_subject() -> None:
    rng = Random(3)
    for fact in drawn(500):
        other = draw(rng, subject=fact.subject, kind=fact.kind)
        assert (other.subject, other.kind) == (fact.subject, fact.kind)
    assert draw(rng, subject="Mira").kind == "person"
    assert draw(rng, kind="server").kind == "server"
    with pytest.raises(ValueError, match="no open relation for the kind 'percentage'"):
        draw(rng, kind="percentage")


def test_the_kinds_and_parts_in_the_tables_exist() -> None:
    known = kinds() | {"name", "day"}
    for table in tables("attributes.toml")["attributes"]:
        assert known >= set(table["subjects"])
        given = f"{{{table['value']}}}" if "value" in table else table["phrases"]
        assert known >= {kind.removeprefix("a ") for kind in re.findall(r"\{([^}]*)\}", given)}
    classes = nouns.classes(held_out=False)
    parts = {table["name"] for table in tables("events.toml")["parts"]}
    for table in tables("events.toml")["verbs"]:
        assert parts >= set(table["parts"])
        assert known | set(classes) >= {name.removeprefix("a ") for name in table["objects"]}
