"""One memory that lives through the demo's days under one recipe, and what is measured of it after each night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hybridmem import metrics
from hybridmem.core.records import DreamReport
from hybridmem.core.text.tokens import normalised
from hybridmem.evaluation.demo.days import Asked
from hybridmem.evaluation.lifecycle import Lifecycle, Night
from hybridmem.evaluation.side_effects import mean_kl
from hybridmem.memory import HybridMemory
from hybridmem.metrics import Cell, is_correct
from hybridmem.models.prompts import is_refusal

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress
    from hybridmem.dreaming.recipes import Recipe


class Arm:
    """One side of a comparison: a memory, the recipe of its nights, and the nights so far."""

    def __init__(self, memory: HybridMemory, recipe: Recipe) -> None:
        self.memory, self.recipe = memory, recipe
        self.R: list[list[Cell]] = []
        self.in_weights: list[list[Asked]] = []
        """By night: the day's facts that the dream took into the weights; the others stay with retrieval."""
        self.stated: list[int] = []
        """By night: how many facts the day stated."""
        self._life = Lifecycle(memory, recipe)

    @property
    def nights(self) -> list[Night]:
        return self._life.nights

    @property
    def reports(self) -> list[DreamReport]:
        return [night.report for night in self.nights if night.report]

    def continued(self, memory: HybridMemory, recipe: Recipe | None = None) -> Arm:
        """The nights so far, going on in `memory` (which must hold what this one's holds), maybe by another recipe."""
        other = Arm(memory, recipe or self.recipe)
        other.R = [list(row) for row in self.R]
        other.in_weights, other.stated = list(self.in_weights), list(self.stated)
        other.nights.extend(self.nights)
        return other

    def dream(self, facts: Sequence[Asked], progress: Progress) -> DreamReport:
        """One night after a day that stated `facts`, and the test of every night so far."""
        report = self._life.live(len(self.nights) + 1, progress=progress).report
        assert report is not None, "an arm has a recipe"  # noqa: S101
        self.in_weights.append(in_weights(self.memory, facts))
        self.stated.append(len(facts))
        self.R.append([accuracy_of_weights(self.memory, each) for each in self.in_weights])
        return report

    def passed_unscaled(self, nights: int | None = None) -> bool:
        """Whether the nights, or the first so many, were promoted as they were trained: a gate then changed nothing."""
        scales = {record.version: record.scores.get("scale", 1.0) for record in self.memory.adapters.list()}
        return all(
            report.status == "promoted" and scales[str(report.adapter)] == 1.0 for report in self.reports[:nights]
        )

    def result(self, unanswerable: Sequence[str]) -> dict[str, Any]:
        """The figures so far, named as in the output of the forgetting benchmark; the false answers are those of the
        weights alone, to questions that nothing answers."""
        active = self.memory.adapters.active()
        b: list[Cell] = [0.0] * len(self.R)
        said = self.memory.answer_many(list(unanswerable), route="weights")
        return {
            "R": self.R,
            "acc": metrics.acc(self.R),
            "learning_gain": metrics.learning_gain(self.R, b),
            "bwt": metrics.bwt(self.R),
            "forgetting": metrics.forgetting(self.R),
            "drift_nats": self.memory.drift(),
            "mean_kl": mean_kl(self.memory.model, self.memory.adapters.path(active.version) if active else None),
            "false_answer_rate": metrics.false_answer_rate([is_refusal(answer.text) for answer in said]),
            "seconds_per_night": [report.seconds for report in self.reports],
            "trained_tokens_per_night": [report.trained_tokens for report in self.reports],
            "gated": self.recipe.gate is not None,
            "strategy": self.recipe.strategy,
        }


def in_weights(memory: HybridMemory, facts: Sequence[Asked]) -> list[Asked]:
    """Those of `facts` that the active adapter was trained on."""
    active = memory.adapters.active()
    trained = set(active.facts) if active else set()
    learned = {
        (normalised(f.subject), normalised(f.object)) for f in memory.ledger.facts(memory.namespace) if f.id in trained
    }
    return [f for f in facts if (normalised(f.subject), normalised(f.answer)) in learned]


def accuracy_of_weights(memory: HybridMemory, facts: Sequence[Asked]) -> Cell:
    """Share of right closed-book answers, each fact counting the same; None for no facts."""
    questions = [question for fact in facts for question in fact.questions]
    answers = iter(memory.answer_many(questions, route="weights") if questions else ())
    return metrics.mean(
        metrics.proportion(is_correct(next(answers).text, fact.answer) for _ in fact.questions) for fact in facts
    )
