"""What a strategy decides about one night's training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hybridmem.core.errors import InvalidInput
from hybridmem.models.trainable import (
    Combination,
    FullRank,
    Objective,
    Penalty,
    TrainableModel,
    TrainingAdapter,
    WeightEdit,
)
from hybridmem.training.sampler import Sampler


class Keepsake(Protocol):
    """What a strategy keeps of a night, beside the adapter's weights, for the nights to come."""

    def keep(self, adapter: TrainingAdapter, folder: Path) -> None:
        """Write files into the `folder` of an adapter that has just been trained. They travel with it, and are gone
        with it."""
        ...


@dataclass(frozen=True, slots=True)
class Merge:
    """The adapter that was trained becomes one with another."""

    other: Path
    how: Combination

    def apply(self, model: TrainableModel, trained: Path, rank: int, seed: int) -> None:
        """Put both, as one adapter, in the place of `trained`."""
        merged = trained.with_name(f"{trained.name}-merged")
        model.combine([self.other, trained], self.how, merged, rank=rank, seed=seed)
        for file in merged.iterdir():
            file.replace(trained / file.name)
        merged.rmdir()
        model.forget(trained)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Which rows, against which objectives, from which weights, for how long."""

    sampler: Sampler
    objectives: tuple[Objective, ...]
    parent: Path | None
    """The adapter to go on from; None to start from the bare base."""
    steps: int
    """At most: a training ends sooner once its answers are known."""
    refit_parent: bool = False
    """Whether a parent of another rank is cut to the recipe's."""
    beneath: Path | None = None
    """An adapter that is in force beneath the new one, and stays as it is."""
    penalties: tuple[Penalty, ...] = ()
    keepsake: Keepsake | None = None
    merge: Merge | None = None
    edit: WeightEdit | None = None
    """Where there is one, it is done in closed form, and no step is taken."""
    full_rank: FullRank | None = None
    """None for updates of the recipe's rank."""

    @property
    def goes_on(self) -> bool:
        """Whether what it makes holds what an earlier adapter held."""
        return self.parent is not None or self.beneath is not None or self.merge is not None

    def within(self, token_budget: int) -> TrainingPlan:
        """This plan with as many steps as `token_budget` pays for; with 0, which is no budget, as it is. An edit's
        steps are those on its values.

        Raises `InvalidInput` for a budget that pays for no step."""
        if not token_budget:
            return self
        if self.edit is not None:
            return replace(self, edit=_edit_within(self.edit, token_budget))
        steps, left = 0, token_budget
        while (tokens := sum(row.tokens for row in self.sampler.rows(steps))) <= left:
            if not tokens:
                return self  # There are no rows, and no number of steps costs anything.
            steps, left = steps + 1, left - tokens
        if not steps:
            raise _too_small(token_budget, tokens)
        return replace(self, steps=steps)


def _edit_within(edit: WeightEdit, token_budget: int) -> WeightEdit:
    if edit.step_tokens > token_budget:
        raise _too_small(token_budget, edit.step_tokens)
    return replace(edit, steps=min(edit.steps, token_budget // max(1, edit.step_tokens)))


def _too_small(token_budget: int, tokens: int) -> InvalidInput:
    return InvalidInput(
        f"a step trains {tokens:,} tokens, more than a night's budget of {token_budget:,}: raise the budget"
    )


@dataclass(frozen=True, slots=True)
class ExpectedTraining:
    """What a training would take, before there are exercises to plan it with."""

    steps: int
    """At most."""
    rows: int
    """Questions per step."""
    general_rows: int
    """Rows of general text per step."""

    def within(self, token_budget: int, step_tokens: int) -> ExpectedTraining:
        """As `TrainingPlan.within` has it, where a step takes about `step_tokens`."""
        if not (token_budget and self.steps):
            return self
        return replace(self, steps=token_budget // max(1, step_tokens))
