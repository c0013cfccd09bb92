"""`weight-edit`: the new facts written into feed-forward layers in closed form (MEMIT, Meng et al. 2022,
arXiv:2210.07229), in the null space of general text and beside the keys of earlier nights (AlphaEdit, Fang et al. 2024,
arXiv:2410.02355). No gradient moves a weight.

A fact's keys are its questions in training, each read at the last token of the subject, or at the last token of the
prompt where the question does not name the subject. MEMIT reads one key behind random prefixes instead, and holds what
is said of a subject otherwise by one prompt more; neither is done here. Of the recipe only the general text counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import NightInput
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.core.records import TrainingItem
from hybridmem.models import prompts
from hybridmem.models.trainable import KeyedExample, WeightEdit
from hybridmem.training.examples import QUESTIONS, Renderer, by_fact, closed_book
from hybridmem.training.plan import ExpectedTraining, TrainingPlan
from hybridmem.training.settings import TrainSettings

QUESTIONS_EACH = 4
"""Questions on a fact that become keys, at most."""
VALUE_STEPS = 25
"""Gradient steps on the values, at most: MEMIT's."""


@dataclass(frozen=True, slots=True)
class ClosedFormEdit(ComposedStrategy):
    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = ComposedStrategy.plan(self, renderer, night, settings)
        learned, _ = self._split(night)
        asked = by_fact(night.items, QUESTIONS)
        facts = tuple(
            tuple(keyed(renderer, item, fact.subject) for item in asked[fact.id][:QUESTIONS_EACH])
            for fact in learned
            if fact.id in asked
        )
        general = night.general[: settings.general_exercises]
        return replace(plan, steps=1, edit=WeightEdit(facts, general, night.parent, VALUE_STEPS))

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        rows = max(settings.new_rows, QUESTIONS_EACH * new)
        return ExpectedTraining(steps=VALUE_STEPS, rows=rows, general_rows=0)


def keyed(renderer: Renderer, item: TrainingItem, subject: str) -> KeyedExample:
    """The question, with the place of its subject's last token.

    The prompt and the same prompt cut behind the subject have the tokens up to there in common."""
    example = closed_book(renderer, item)
    start = item.question.lower().rfind(subject.lower())
    if not subject or start < 0:
        return KeyedExample(example, len(example.prompt) - 1)
    cut = item.question[: start + len(subject)]
    other = cut if cut != item.question else f"{cut}, and"
    shorter, _ = renderer.render_pair(prompts.answer(other), item.answer)
    common = next(
        (at for at, (one, two) in enumerate(zip(example.prompt, shorter, strict=False)) if one != two),
        min(len(example.prompt), len(shorter)),
    )
    return KeyedExample(example, max(0, common - 1))


STRATEGY = ClosedFormEdit(
    name="weight-edit",
    summary="the new facts are written into feed-forward layers in closed form, without training",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
    relearns=True,
)
