"""`complementary`: a fast adapter each night above a slow trunk, which takes up what they learned every few nights.

Complementary learning systems (McClelland et al. 1995; fast and slow weights as in CLS-ER, Arani et al. 2022,
arXiv:2201.12604). A night as a rule trains a new adapter on the new facts alone, with all that was there before frozen
beneath it. Every `EVERY` nights all of it is cut to the recipe's rank and trained on, with the older facts replayed and
distilled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import AnswerSource, NightInput
from hybridmem.continual.buffers import EqualShares, NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import ExpectedTraining, Merge, TrainingPlan
from hybridmem.training.settings import TrainSettings

EVERY = 4
"""Nights from one consolidation to the next."""
_FAST = ComposedStrategy(name="fast", summary="the new facts alone", buffer=NoReplay())
_SLOW = ComposedStrategy(name="slow", summary="with the older facts", buffer=EqualShares())


@dataclass(frozen=True, slots=True)
class ComplementaryLearning:
    name: str
    summary: str
    answers: AnswerSource = "weights"
    trains: bool = True

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        if night.parent is None or not night.new or night.number % EVERY == 0:
            return replace(_SLOW.plan(renderer, night, settings), refit_parent=True)
        plan = _FAST.plan(renderer, night, settings)
        return replace(plan, parent=None, beneath=night.parent, merge=Merge(night.parent, "cat"))

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        return _SLOW.expect(new, old, settings)


STRATEGY = ComplementaryLearning(
    name="complementary",
    summary="a fast adapter each night, taken up by a slow one every few nights",
)
