"""The gate's bounds as a table: each figure once, with how it is measured and on which side it is bounded.

The recipe's settings, the report, the metrics pages and the inspector all take their names from here. The terms are
those of the benchmark: learning accuracy is R[j, j], forgetting is what R loses from one night to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hybridmem.core.records import Check
from hybridmem.metrics import locality

if TYPE_CHECKING:
    from hybridmem.dreaming.steps.evaluate import EvalResult


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How the adapters of one night did on one split."""

    base: EvalResult
    """The bare base."""
    parent: EvalResult | None
    """The adapter before; None where it was not asked on this split."""
    candidate: EvalResult
    new: Sequence[str]
    """Ids of the facts that the candidate had to learn: those of the night, and where the weights are built anew the
    older ones too."""
    old: Sequence[str]
    """Ids of the older facts."""


Measure = Callable[[Evaluated], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a night."""

    name: str
    text: str
    """What it measures, in one line."""
    measure: Measure
    """No number where it cannot be measured."""


@dataclass(frozen=True, slots=True)
class Bound(Figure):
    """A figure that the gate bounds."""

    direction: Literal["at least", "at most"]

    @property
    def setting(self) -> str:
        """The field of the recipe's `GateSettings` that bounds it."""
        return f"{'min' if self.direction == 'at least' else 'max'}_{self.name}"

    def check(self, evaluated: Evaluated, settings: Any) -> Check:
        """`settings` has a number under the name `setting`. No figure that is no number passes."""
        value, bound = self.measure(evaluated), getattr(settings, self.setting)
        return Check(self.name, value, bound, value >= bound if self.direction == "at least" else value <= bound)


def _forgetting(night: Evaluated) -> float:
    return night.parent.accuracy(night.old) - night.candidate.accuracy(night.old) if night.parent else math.nan


BOUNDS: tuple[Bound, ...] = (
    Bound(
        "learning_accuracy",
        "Mean accuracy on what the adapter had to learn: the new facts, and all of them where it was built anew.",
        lambda night: night.candidate.accuracy(night.new),
        "at least",
    ),
    Bound(
        "forgetting",
        "Loss of accuracy on the older facts, against the adapter before.",
        _forgetting,
        "at most",
    ),
    Bound(
        "false_answer_rise",
        "Rise of the share of unanswerable questions that are answered, against the bare base.",
        lambda night: night.candidate.false_answers - night.base.false_answers,
        "at most",
    ),
    Bound(
        "locality",
        "Share of unrelated answers that are the base's own.",
        lambda night: locality(night.base.unrelated, night.candidate.unrelated),
        "at least",
    ),
    Bound(
        "drift_nats",
        "Nats per token on general text that the adapter costs.",
        lambda night: night.candidate.nats - night.base.nats,
        "at most",
    ),
    Bound(
        "stale_answer_rate",
        "Share of questions on replaced facts that still get the old value.",
        lambda night: night.candidate.stale,
        "at most",
    ),
)
"""What a night is judged by. A new bound is one more entry, and its default in `GateSettings`."""


@dataclass(frozen=True, slots=True)
class Truth:
    """How one night changed the answers to questions that were written from its episodes."""

    asked: int
    right_before: int
    """By the router, with the store and the weights as they were before the night."""
    wrong_before: int
    right_after: int
    """By the router, with the candidate in force."""
    wrong_after: int
    timid: int = 0
    """Right before, and "I don't know" after."""


@dataclass(frozen=True, slots=True)
class TruthBound:
    """A share of a night's `Truth` questions that the gate bounds from above.

    One question of few is noise: whatever the bound, that much is allowed."""

    name: str
    text: str
    """What it measures, in one line."""
    measure: Callable[[Truth], float]
    direction: Literal["at most"] = "at most"

    @property
    def setting(self) -> str:
        """The field of the recipe's `GateSettings` that bounds it."""
        return f"max_{self.name}"

    def check(self, truth: Truth, settings: Any) -> Check:
        """`truth` has at least one question."""
        value, bound = self.measure(truth), max(getattr(settings, self.setting), 1 / truth.asked)
        return Check(self.name, value, bound, value <= bound)


TRUTH_BOUNDS: tuple[TruthBound, ...] = (
    TruthBound(
        "truth_loss",
        "Share of the questions on the night's episodes that lost their right answer, refusals among them, less those "
        "that gained one.",
        lambda truth: (truth.right_before - truth.right_after) / truth.asked,
    ),
    TruthBound(
        "new_wrong",
        "Rise of the share of questions on the night's episodes that are answered wrongly.",
        lambda truth: (truth.wrong_after - truth.wrong_before) / truth.asked,
    ),
)
"""What a night must not do to what retrieval already knew. Asked where episodes are read by propositions."""


def truth_figures(truth: Truth) -> dict[str, float]:
    """A night's truth for its report: how many questions were asked, and the shares before and after."""
    if not truth.asked:
        return {}
    return {
        "truth_questions": float(truth.asked),
        "truth_right_before": truth.right_before / truth.asked,
        "truth_right_after": truth.right_after / truth.asked,
        "truth_wrong_before": truth.wrong_before / truth.asked,
        "truth_wrong_after": truth.wrong_after / truth.asked,
        "truth_timid": truth.timid / truth.asked,
    }


REPORTED: tuple[Figure, ...] = (
    Figure(
        "old_fact_accuracy",
        "Mean accuracy on the older facts.",
        lambda night: night.candidate.accuracy(night.old),
    ),
    Figure(
        "false_answer_rate",
        "Share of unanswerable questions that are answered.",
        lambda night: night.candidate.false_answers,
    ),
)
"""Reported on the test split beside the figures that are bounded."""

_FORMER_NAMES = {
    "learned": "learning_accuracy",
    "new_facts": "learning_accuracy",
    "old_facts": "old_fact_accuracy",
    "false answers": "false_answer_rise",
    "drift": "drift_nats",
    "stale": "stale_answer_rate",
}
"""What stored reports of earlier releases call a figure."""


def figures(evaluated: Evaluated) -> dict[str, float]:
    """Every figure that was measured, by name.

    One that is no number is left out: a training that diverged has such a drift, and its report is still written."""
    measured = {figure.name: figure.measure(evaluated) for figure in (*BOUNDS, *REPORTED)}
    return {name: value for name, value in measured.items() if math.isfinite(value)}


def current_name(name: str) -> str:
    """The name of today for a figure of a stored report.

    >>> current_name("false answers"), current_name("forgetting"), current_name("scale")
    ('false_answer_rise', 'forgetting', 'scale')
    """
    return _FORMER_NAMES.get(name, name)


def bound_of(name: str) -> Bound | TruthBound | None:
    """The bound on the figure of that name, of today or of an earlier release; None for any other name."""
    every: tuple[Bound | TruthBound, ...] = (*BOUNDS, *TRUTH_BOUNDS)
    return next((bound for bound in every if bound.name == current_name(name)), None)
