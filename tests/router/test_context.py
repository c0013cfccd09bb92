"""A prompt leaves out an episode that a fact replaced, where that fact comes first, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from hybridmem.core.records import Episode, Fact, Hit
from hybridmem.retrieval.pipeline import Found
from hybridmem.router.context import lines, without_replaced
from tests.dreaming.nights import ANA, NIGHT, fact

OLD = Episode("e1", ANA, "Ana lives in Lisbon, and her boat is the Zora.", at=NIGHT, superseded_by="f2")
NEW = Episode("e2", ANA, "Ana moved to Porto.", at=NIGHT)
FACT = fact("f2", object="Porto", sources=("e2",))


def found(*records: Episode | Fact) -> Found:
    hits = [Hit(r.id, r.text, 1.0, "fact" if isinstance(r, Fact) else "episode") for r in records]
    return Found.of(hits, {r.id: r for r in records})


def ids(given: Found) -> list[str]:
    assert list(given.records) == [hit.id for hit in given.hits]
    return [hit.id for hit in given.hits]


def test_it_goes_behind_its_successor_or_what_that_came_from() -> None:
    assert ids(without_replaced(found(FACT, NEW, OLD))) == ["f2", "e2"]
    assert ids(without_replaced(found(FACT, OLD))) == ["f2"]


def test_it_stays_where_it_answers_better_or_stands_alone() -> None:
    assert ids(without_replaced(found(OLD, FACT, NEW))) == ["e1", "f2", "e2"]
    assert ids(without_replaced(found(OLD))) == ["e1"]
    assert ids(without_replaced(found(NEW, replace(OLD, superseded_by=None)))) == ["e2", "e1"]


def test_memories_are_dated_for_a_model_that_knows_dates() -> None:
    hits = [Hit("e1", "We fly on Friday.", 1.0, "episode", at=NIGHT, speaker="Mira"), Hit("e2", "Ok.", 0.5, "episode")]
    assert lines(hits) == ["Ok.", "Mira: We fly on Friday."]
    assert lines(hits, dated=True) == ["Ok.", f"{NIGHT:%Y-%m-%d} Mira: We fly on Friday."]
