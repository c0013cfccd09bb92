"""The new facts alone, in updates that no rank bounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hybridmem.continual.base import NightInput, ReplayBuffer
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy, Exercise, ObjectiveOf
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.models.trainable import FullRank
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FullRankStrategy(ComposedStrategy):
    """`naive` with other updates. The recipe's rank and alpha mean nothing to it, its targets do."""

    full_rank: FullRank
    buffer: ReplayBuffer = field(default_factory=NoReplay)
    objectives: tuple[ObjectiveOf, ...] = (CrossEntropy.of,)
    exercises: frozenset[Exercise] = frozenset()
    relearns: bool = True

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        return replace(ComposedStrategy.plan(self, renderer, night, settings), full_rank=self.full_rank)
