"""`o-lora`: a new adapter each night above the earlier ones, which stay as they are, in directions orthogonal to theirs
(Wang et al. 2023, arXiv:2310.14152). The rank grows by the recipe's with every night."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import NightInput
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.continual.penalties import OrthogonalInputs
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import Merge, TrainingPlan
from hybridmem.training.settings import TrainSettings

WEIGHT = 0.5
"""Of the penalty: the paper's."""


@dataclass(frozen=True, slots=True)
class OrthogonalLora(ComposedStrategy):
    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = ComposedStrategy.plan(self, renderer, night, settings)
        if night.parent is None:
            return plan
        return replace(
            plan,
            parent=None,
            beneath=night.parent,
            penalties=(OrthogonalInputs(WEIGHT * settings.penalty_weight),),
            merge=Merge(night.parent, "cat"),
        )


STRATEGY = OrthogonalLora(
    name="o-lora",
    summary="a new adapter each night, orthogonal to the earlier ones, which stay as they are",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
    relearns=True,
)
