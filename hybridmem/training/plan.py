"""What a strategy decides about one night's training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hybridmem.models.trainable import Objective
from hybridmem.training.sampler import Sampler


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Which rows, against which objectives, from which weights, for how long."""

    sampler: Sampler
    objectives: tuple[Objective, ...]
    parent: Path | None
    """The adapter to go on from; None to start from the bare base."""
    steps: int
    """At most: a training ends sooner once its answers are known."""


@dataclass(frozen=True, slots=True)
class ExpectedTraining:
    """What a training would take, before there are exercises to plan it with."""

    steps: int
    """At most."""
    rows: int
    """Questions per step."""
    general_rows: int
    """Rows of general text per step."""
