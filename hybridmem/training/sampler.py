"""Which rows a step sees."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hybridmem.models.trainable import Example
from hybridmem.training.examples import ExamplePools
from hybridmem.training.settings import TrainSettings


class Sampler(Protocol):
    """The rows of every step of a training."""

    def rows(self, step: int) -> list[Example]:
        """The rows of `step`, counted from 0. The same at every call: a resumed training sees what it would have
        seen."""
        ...

    def examples(self) -> list[Example]:
        """Every example that a step may hold, once each, in a fixed order."""
        ...


@dataclass(frozen=True, slots=True)
class PoolSampler:
    """So many rows of each pool, as the recipe says; a pure function of the seed and the step's number."""

    pools: ExamplePools
    settings: TrainSettings
    seed: int

    def rows(self, step: int) -> list[Example]:
        rng = random.Random(f"{self.seed}/{step}")  # noqa: S311 - a reproducible draw, not a secret
        settings, pools = self.settings, self.pools
        batch = self._of_facts(pools.new, None, settings.new_rows, rng)
        batch += self._of_facts(pools.old, pools.old_weights, settings.old_rows, rng)
        for pool, count in (
            (pools.refusal, settings.refusal_rows),
            (pools.reading, settings.reading_rows),
            (pools.general, settings.general_rows),
            (pools.unrelated, settings.unrelated_rows),
        ):
            batch += [rng.choice(pool) for _ in range(count if pool else 0)]
        return batch

    def examples(self) -> list[Example]:
        return self.pools.every()

    @staticmethod
    def _of_facts(
        groups: Sequence[Sequence[Example]], weights: Sequence[float] | None, count: int, rng: random.Random
    ) -> list[Example]:
        if not groups:
            return []
        if weights is None:
            # Whole rounds first, so that no fact of a small night is left out by chance.
            order = [g for _ in range(count // len(groups)) for g in groups]
            order += rng.sample(list(groups), count % len(groups))
        else:
            order = rng.choices(groups, weights=weights, k=count)
        return [rng.choice(group) for group in order]
