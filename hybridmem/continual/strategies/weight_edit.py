"""`weight-edit`: the new facts written into feed-forward layers in closed form (MEMIT, Meng et al. 2022,
arXiv:2210.07229), in the null space of general text and beside the keys of earlier nights (AlphaEdit, Fang et al. 2024,
arXiv:2410.02355). No gradient moves a weight.

A fact's keys are its questions in training, each at its last token. MEMIT takes the last token of the subject, behind
random prefixes, and holds what is said of the subject otherwise by one prompt more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import NightInput
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.models.trainable import WeightEdit
from hybridmem.training.examples import QUESTIONS, Renderer, by_fact, question_rows
from hybridmem.training.plan import ExpectedTraining, TrainingPlan
from hybridmem.training.settings import TrainSettings

QUESTIONS_EACH = 4
"""Questions on a fact that become keys, at most."""
VALUE_STEPS = 25
"""Gradient steps on the values, at most: MEMIT's."""


@dataclass(frozen=True, slots=True)
class ClosedFormEdit(ComposedStrategy):
    """Of the recipe it reads `general_exercises` alone."""

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = ComposedStrategy.plan(self, renderer, night, settings)
        learned, _ = self._split(night)
        asked = by_fact(night.items, QUESTIONS)
        facts = (question_rows(renderer, asked[fact.id][:QUESTIONS_EACH]) for fact in learned if fact.id in asked)
        general = night.general[: settings.general_exercises]
        return replace(plan, steps=1, edit=WeightEdit(tuple(facts), general, night.parent, VALUE_STEPS))

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        rows = max(settings.new_rows, QUESTIONS_EACH * new)
        return ExpectedTraining(steps=VALUE_STEPS, rows=rows, general_rows=0)


STRATEGY = ClosedFormEdit(
    name="weight-edit",
    summary="the new facts are written into feed-forward layers in closed form, without training",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
    relearns=True,
)
