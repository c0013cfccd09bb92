"""A strategy that trains nothing: a baseline for those that do."""

from __future__ import annotations

from dataclasses import dataclass

from hybridmem.continual.base import AnswerSource, NightInput
from hybridmem.core.errors import InvalidInput
from hybridmem.training.examples import Renderer
from hybridmem.training.plan import ExpectedTraining, TrainingPlan
from hybridmem.training.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class UntrainedStrategy:
    """Its nights read and curate, and leave the weights alone."""

    name: str
    summary: str
    answers: AnswerSource
    trains: bool = False

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        raise InvalidInput(f"the strategy {self.name} trains nothing: choose one that does, such as replay")

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        return ExpectedTraining(0, 0, 0)
