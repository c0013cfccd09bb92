"""What folding and growing must not change: the walk is the same as the plainest one over all memories."""

from __future__ import annotations

from random import Random

import pytest

from hybridmem.core.text.mentions import Mentions
from hybridmem.stores.index import graph_walk
from hybridmem.stores.index.graph_walk import WIDE, Walk
from hybridmem.stores.index.inmemory import InMemoryGraphIndex
from hybridmem.testing.index_conformance import ANA

NAMES = [f"name {number}" for number in range(60)]


def memories(count: int, *, seed: int = 0, start: int = 0) -> dict[str, Mentions]:
    """Some with many names, some with none, some with names that are only sure later."""
    rng = Random(seed)
    made = {}
    for number in range(start, start + count):
        names = frozenset(rng.sample(NAMES, WIDE + 9 if number % 50 == 7 else rng.randrange(5)))
        made[f"ep_{number:05}"] = Mentions(names, frozenset(rng.sample([*NAMES[40:], "late"], 2)) - names)
    return made


def plainest(known: dict[str, Mentions]) -> InMemoryGraphIndex:
    plain = InMemoryGraphIndex()
    plain._memories[ANA] = known
    return plain


def agree(walk: Walk, known: dict[str, Mentions]) -> None:
    plain = plainest(known)
    for text in ("Name 3", "Name 41 and Name 7", "Late"):
        ours, theirs = walk.from_text(text, 40), plain.query(ANA, text, 10_000)
        assert [score for _, score in ours] == pytest.approx([score for _, score in theirs[:40]], abs=1e-9)
        scores = dict(theirs)
        assert all(scores[id] == pytest.approx(score, abs=1e-9) for id, score in ours)
    for entity in (None, "name 3", "late"):
        ours, theirs = walk.neighbourhood(entity, 12), plain.neighbourhood(ANA, entity, 12)
        assert (ours.entities, set(ours.links)) == (theirs.entities, set(theirs.links))


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_walk, "_FOLD_FROM", 50)


def test_a_folded_walk_is_the_plain_walk(folding: None) -> None:
    known = memories(400)
    walk = Walk(known)
    agree(walk, known)
    assert walk._folded.rows == 400, "or this tests nothing"


def test_a_walk_that_grew_is_the_walk_made_at_once(folding: None) -> None:
    known = memories(300)
    walk = Walk(known)
    agree(walk, known)
    for start in range(300, 330):
        more = memories(1, seed=start, start=start)
        walk.add(more)
        known |= more
    assert walk._folded.rows == 300
    agree(walk, known)
    sure = {"ep_99999": Mentions(frozenset({"late", "name 3"}))}
    walk.add(sure)
    agree(walk, known | sure)


def test_of_equally_good_memories_the_ids_decide() -> None:
    walk = Walk({f"ep_{number:03}": Mentions(frozenset({"oslo"})) for number in reversed(range(300))})
    assert [id for id, _ in walk.from_text("Oslo", 3)] == ["ep_000", "ep_001", "ep_002"]
