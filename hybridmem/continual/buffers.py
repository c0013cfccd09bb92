"""Replay buffers: which older exercises a night sees.

The ledger keeps every exercise of every fact that still stands, so that replay is lossless: no generative or
compressed buffer is needed (compare Rolnick et al. 2019, arXiv:1811.11682).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridmem.continual.base import Replayed
from hybridmem.core.records import TrainingItem


@dataclass(frozen=True, slots=True)
class EqualShares:
    """An equal number of exercises for every older fact, at least one each, drawn at random; facts that the last audit
    missed are drawn more often."""

    replays: bool = True

    def select(
        self,
        exercises: Mapping[str, Sequence[TrainingItem]],
        missed: Mapping[str, float],
        limit: int,
        rng: random.Random,
    ) -> list[Replayed]:
        each = max(1, limit // max(1, len(exercises)))
        return [
            Replayed(fact, tuple(rng.sample(list(items), min(each, len(items)))), 1.0 + missed.get(fact, 0.0))
            for fact, items in exercises.items()
        ]


@dataclass(frozen=True, slots=True)
class NoReplay:
    """Nothing of the nights before."""

    replays: bool = False

    def select(
        self,
        exercises: Mapping[str, Sequence[TrainingItem]],
        missed: Mapping[str, float],
        limit: int,
        rng: random.Random,
    ) -> list[Replayed]:
        return []
