"""`der`: older exercises beside the new ones, held to what the adapter predicted on the night that learned them
(dark experience replay, DER++, Buzzega et al. 2020, arXiv:2004.07211)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import NightInput
from hybridmem.continual.buffers import EqualShares
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.keepsakes import DarkKnowledge
from hybridmem.continual.objectives import CrossEntropy, StoredPredictions
from hybridmem.training.examples import QUESTIONS, Renderer, by_fact, question_rows
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class DarkExperienceReplay(ComposedStrategy):
    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = ComposedStrategy.plan(self, renderer, night, settings)
        learned, replayed = self._split(night)
        asked = by_fact(night.items, QUESTIONS)
        new, old = (
            tuple(row for fact in facts for row in question_rows(renderer, asked.get(fact.id, ())))
            for facts in (learned, replayed)
        )
        return replace(
            plan,
            objectives=(*plan.objectives, StoredPredictions(night.parent, settings.distill_weight)),
            keepsake=DarkKnowledge(new, old, night.parent),
        )


STRATEGY = DarkExperienceReplay(
    name="der",
    summary="older exercises are replayed, held to what was predicted when they were learned",
    buffer=EqualShares(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
)
