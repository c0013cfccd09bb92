"""One adapter a night, trained from the bare base on the new facts alone, and merged with the earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hybridmem.continual.base import NightInput, ReplayBuffer
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy, Exercise, ObjectiveOf
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.models.trainable import Combination
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import Merge, TrainingPlan
from hybridmem.training.settings import TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(ComposedStrategy):
    """Night by night: what is merged tonight is tonight's adapter with all that was merged before, so that a memory
    keeps one adapter, of the recipe's rank."""

    how: Combination
    buffer: ReplayBuffer = field(default_factory=NoReplay)
    objectives: tuple[ObjectiveOf, ...] = (CrossEntropy.of,)
    exercises: frozenset[Exercise] = frozenset()
    relearns: bool = True

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = replace(ComposedStrategy.plan(self, renderer, night, settings), parent=None)
        return plan if night.parent is None else replace(plan, merge=Merge(night.parent, self.how))
