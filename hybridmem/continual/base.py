"""What a dream asks of a strategy, and what a strategy asks of a replay buffer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from hybridmem.core.records import Fact, TrainingItem
from hybridmem.models.trainable import Example, Recall
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import ExpectedTraining, TrainingPlan
from hybridmem.training.settings import TrainSettings

AnswerSource = Literal["weights", "retrieval", "context"]
"""Where a strategy's answers come from: the adapter, what a search finds, or all memories in the prompt."""


@dataclass(frozen=True, slots=True)
class NightInput:
    """What a night can train on."""

    new: tuple[Fact, ...]
    """Facts that the weights do not hold yet."""
    old: tuple[Fact, ...]
    """Facts that the parent holds and that still stand."""
    items: tuple[TrainingItem, ...]
    """Exercises on both, of every split."""
    missed: Mapping[str, float]
    """By fact: the questions of its last audit that were answered wrongly."""
    general: tuple[tuple[int, ...], ...]
    """Rows of token ids of general text."""
    parent: Path | None
    """The adapter to go on from; None where there is none, or where the weights must be rebuilt from the base."""
    seed: int
    number: int = 1
    """Of the night, counted from 1."""
    recall: Callable[[Sequence[Example]], Sequence[Recall]] | None = None
    """How well the parent knows the completions of such rows; None where there is no parent to ask."""
    unrelated: tuple[tuple[str, str], ...] = ()
    """Questions that have nothing to do with any memory, each with the base's own answer."""


@dataclass(frozen=True, slots=True)
class Replayable:
    """The older facts that a night could replay."""

    exercises: Mapping[str, Sequence[TrainingItem]]
    """By fact: its questions."""
    missed: Mapping[str, float]
    """As `NightInput.missed`."""
    recall: Callable[[], Mapping[str, Recall]]
    """By fact: how well the parent knows it, over its exercises the worst. Nobody is asked until this is called."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The exercises on one older fact that a night sees."""

    fact: str
    items: tuple[TrainingItem, ...]
    weight: float = 1.0
    """How often it is drawn, relative to the other older facts."""


class ReplayBuffer(Protocol):
    """Which older exercises a night sees. The ledger keeps them all, so that nothing has to be stored for it."""

    @property
    def replays(self) -> bool:
        """Whether it ever selects any. Where it does not, a night is about its new facts alone."""
        ...

    def select(self, old: Replayable, limit: int, rng: random.Random) -> list[Replayed]:
        """About `limit` of the exercises on the facts in `old`; the same `rng` gives the same draw."""
        ...


class Strategy(Protocol):
    """How a memory gets into the weights, night by night. `testing.strategy_conformance` is what each must pass."""

    @property
    def name(self) -> str:
        """What a recipe and `hybridmem bench forgetting --strategy` call it: lower case, words joined by hyphens."""
        ...

    @property
    def summary(self) -> str:
        """One line for a help text."""
        ...

    @property
    def answers(self) -> AnswerSource: ...

    @property
    def trains(self) -> bool:
        """Whether it trains at all: a dream of one that does not ends once it has read and curated."""
        ...

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        """The night's training: the same input gives the same plan. Called only where it trains and `night` has facts
        to learn or to keep."""
        ...

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        """What a night of so many new and old facts would take at most."""
        ...
