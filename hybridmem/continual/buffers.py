"""Replay buffers: which older exercises a night sees.

The ledger keeps every exercise of every fact that still stands, so that replay is lossless: no generative or
compressed buffer is needed (compare Rolnick et al. 2019, arXiv:1811.11682).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hybridmem.continual.base import Replayable, Replayed
from hybridmem.core.records import TrainingItem


@dataclass(frozen=True, slots=True)
class EqualShares:
    """An equal number of exercises for every older fact, at least one each, drawn at random; facts that the last audit
    missed are drawn more often."""

    replays: bool = True

    def select(self, old: Replayable, limit: int, rng: random.Random) -> list[Replayed]:
        return [
            Replayed(fact, items, 1.0 + old.missed.get(fact, 0.0))
            for fact, items in _equal_shares(old, limit, rng).items()
        ]


@dataclass(frozen=True, slots=True)
class ByLoss:
    """As `EqualShares`, but what the parent knows badly is drawn more often: in proportion to the median loss of the
    answer's tokens, which tells forgetting from a single hard token, as the mean does not (arXiv:2605.24657)."""

    floor: float = 0.1
    """In nats, added to every loss: what is known well is still rehearsed."""
    replays: bool = True

    def select(self, old: Replayable, limit: int, rng: random.Random) -> list[Replayed]:
        known = old.recall()
        return [
            Replayed(fact, items, self.floor + known[fact].loss)
            for fact, items in _equal_shares(old, limit, rng).items()
        ]


@dataclass(frozen=True, slots=True)
class ByMargin:
    """As `EqualShares`, but the nearer an answer is to losing its lead over the next best one, the more often it is
    drawn (margin sampling, Scheffer et al. 2001)."""

    wide: float = 5.0
    """In nats: a lead from which on an answer is drawn the least often."""
    floor: float = 0.1
    """Weight of an answer with such a lead, where one without any has 1."""
    replays: bool = True

    def select(self, old: Replayable, limit: int, rng: random.Random) -> list[Replayed]:
        known = old.recall()
        return [
            Replayed(fact, items, max(self.floor, 1.0 - known[fact].margin / self.wide))
            for fact, items in _equal_shares(old, limit, rng).items()
        ]


def _equal_shares(old: Replayable, limit: int, rng: random.Random) -> dict[str, tuple[TrainingItem, ...]]:
    """By fact: its share of `limit` exercises, at least one."""
    each = max(1, limit // max(1, len(old.exercises)))
    return {fact: tuple(rng.sample(list(items), min(each, len(items)))) for fact, items in old.exercises.items()}


@dataclass(frozen=True, slots=True)
class NoReplay:
    """Nothing of the nights before."""

    replays: bool = False

    def select(self, old: Replayable, limit: int, rng: random.Random) -> list[Replayed]:
        return []
