"""One run of a comparison: a strategy, and what a comparison varies beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput

NOOP = "noop"
"""The control that does nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What `suites.forgetting.run` is called with; None leaves a setting to the recipe."""

    strategy: str
    seed: int = 0
    learning_rate: float | None = None
    token_budget: int | None = None
    gate: bool | None = None
    shuffle_labels: bool = False

    @property
    def name(self) -> str:
        """Of its file. Two trials have one name only when they are equal."""
        parts = (self.strategy, *self._settings(), f"seed {self.seed}")
        return "_".join(part.replace(" ", "-") for part in parts)

    @property
    def label(self) -> str:
        """For people, without the seed."""
        return ", ".join((self.strategy, *self._settings()))

    @property
    def unseeded(self) -> Trial:
        """What the trials have in common that differ in their seeds alone."""
        return replace(self, seed=0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Trial:
        return cls(**fields)

    def _settings(self) -> list[str]:
        settings = []
        if self.learning_rate is not None:
            settings.append(f"lr {self.learning_rate!r}")
        if self.token_budget is not None:
            settings.append(f"tokens {self.token_budget}")
        if self.gate is not None:
            settings.append("gated" if self.gate else "ungated")
        if self.shuffle_labels:
            settings.append("shuffled labels")
        return settings


def trials(
    names: Sequence[str],
    *,
    seeds: Sequence[int] = (0,),
    learning_rates: tuple[float, ...] = (),
    token_budget: int | None = None,
    gate: bool | None = None,
    shuffle_labels: bool = False,
    controls: bool = False,
) -> tuple[Trial, ...]:
    """Every strategy of `names` at every learning rate with every seed, in that order, each trial once.

    A strategy that trains nothing draws nothing: it is one trial, with the first seed, and none of the settings. The
    `controls` are `noop`, and the first strategy that trains with shuffled labels. Raises `InvalidInput` for an unknown
    strategy, or for settings that none of them takes."""
    if not any(strategies.get(name).trains for name in names):
        for what, given in (("learning rate", learning_rates), ("token budget", token_budget), ("gate", gate)):
            if given not in (None, ()):
                raise InvalidInput(f"none of {', '.join(names)} ever dreams: leave the {what} out")
    grid: list[Trial] = []
    for name in names:
        if not strategies.get(name).trains:
            grid.append(Trial(name, seeds[0], shuffle_labels=shuffle_labels))
            continue
        grid += [
            Trial(name, seed, rate, token_budget, gate, shuffle_labels)
            for rate, seed in product(learning_rates or (None,), seeds)
        ]
    if controls:
        grid.append(Trial(NOOP, seeds[0]))
        first = next((trial for trial in grid if strategies.get(trial.strategy).trains), None)
        if first is not None:
            grid += [replace(first, seed=seed, shuffle_labels=True) for seed in seeds]
    return tuple(dict.fromkeys(grid))
