"""What a way to answer comes to on a set of questions, with bootstrap intervals over facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridmem import metrics
from hybridmem.evaluation.routing.outcome import Outcome, Said
from hybridmem.evaluation.routing.policies import Policy
from hybridmem.evaluation.routing.question import KINDS
from hybridmem.metrics import Cell, is_correct

BINS = 10
"""Of the calibration error and of the reliability diagram."""
POINTS = 60
"""Of a curve, at most."""
Places = NDArray[np.intp]
"""Which of the questions, by their places; a resample has some of them more than once."""
FIGURES: Mapping[str, str] = {
    "accuracy": "Share of the questions that are answered rightly, or refused where nothing answers them.",
    "answered_right": "Share of the answerable questions that are answered rightly.",
    "coverage": "Share of the questions that are answered.",
    "risk": "Share of the answers that are wrong.",
    "wrong_rate": "Share of all questions that are answered wrongly: what the threshold of the router bounds.",
    "false_answer_rate": "Share of the questions that nothing answers which are answered.",
    "stale_answer_rate": "Share of the questions on changed facts that are answered with the value that was replaced.",
    "deleted_answer_rate": "Share of the questions on deleted facts that are answered with what was deleted.",
    "quarantined_answer_rate": "Share of the questions on quarantined facts that are answered with what was set aside.",
    "aurc": "Area under the curve of risk against coverage: how well the confidence orders the answers. Low is good.",
    "augrc": "The same, with the share of all questions that is answered and wrong as the risk.",
    "ece": "Expected calibration error of the answers' confidence.",
    "brier": "Brier score of the answers' confidence.",
}
"""Those with intervals, and what each is."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One way's answers to all questions, as arrays of one length."""

    right: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    answerable: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    banned: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]
    """By ``stale``, ``deleted`` and ``quarantined``: which questions have such values, and which were answered so."""
    prompt_tokens: NDArray[np.float64]
    seconds: tuple[float, ...]
    """Of those that were timed."""

    @classmethod
    def of(cls, policy: Policy, outcomes: Sequence[Outcome]) -> Answers:
        said = [policy(outcome) for outcome in outcomes]
        pairs = list(zip(outcomes, said, strict=True))
        return cls(
            right=np.array([outcome.is_right(each) for outcome, each in pairs], dtype=bool),
            answered=np.array([not each.refused for each in said], dtype=bool),
            answerable=np.array([outcome.question.answer is not None for outcome in outcomes], dtype=bool),
            confidence=np.array([each.confidence for each in said], dtype=float),
            banned={
                name: (
                    np.array([bool(getattr(outcome.question, name)) for outcome in outcomes], dtype=bool),
                    np.array([_says(each, getattr(outcome.question, name)) for outcome, each in pairs], dtype=bool),
                )
                for name in ("stale", "deleted", "quarantined")
            },
            prompt_tokens=np.array([each.prompt_tokens for each in said], dtype=float),
            seconds=tuple(each.seconds for each in said if each.seconds is not None),
        )

    def figure(self, name: str, at: Places) -> Cell:
        """One of `FIGURES` over the questions at these places; None where it is of no question."""
        right, answered = self.right[at], self.answered[at]
        wrong = answered & ~right
        match name:
            case "accuracy":
                return _share(right)
            case "answered_right":
                return _share(right[self.answerable[at]])
            case "coverage":
                return _share(answered)
            case "risk":
                return _share(wrong[answered])
            case "wrong_rate":
                return _share(wrong)
            case "false_answer_rate":
                return _share(answered[~self.answerable[at]])
            case "stale_answer_rate" | "deleted_answer_rate" | "quarantined_answer_rate":
                asked, so = self.banned[name.removesuffix("_answer_rate")]
                return _share(so[at][asked[at]])
        if not answered.any():
            return None
        confidence, of_answers = self.confidence[at][answered], wrong[answered]
        measures: Mapping[str, Callable[[], float]] = {
            "aurc": lambda: metrics.aurc(confidence, of_answers),
            "augrc": lambda: metrics.augrc(confidence, of_answers, at.size),
            "ece": lambda: metrics.ece(confidence, ~of_answers, bins=BINS),
            "brier": lambda: metrics.brier(confidence, ~of_answers),
        }
        return measures[name]()


def _says(said: Said, values: Sequence[str]) -> bool:
    return not said.refused and any(is_correct(said.text, value) for value in values)


def _share(marks: NDArray[np.bool_]) -> Cell:
    return float(marks.mean()) if marks.size else None


def everywhere(outcomes: Sequence[Outcome]) -> Places:
    """The places of all questions."""
    return np.arange(len(outcomes))


def figures(answers: Answers, outcomes: Sequence[Outcome], resamples: Sequence[Places]) -> dict[str, Any]:
    """Every figure of one way: those of `FIGURES` as value, low and high, the others as numbers."""
    at = everywhere(outcomes)
    found: dict[str, Any] = {
        name: _interval(answers.figure(name, at), [answers.figure(name, drawn) for drawn in resamples])
        for name in FIGURES
    }
    p50, p95 = np.quantile(answers.seconds, [0.5, 0.95]) if answers.seconds else (None, None)
    return {
        **found,
        "ece_of_calibrated": _ece_of_calibrated(answers),
        "prompt_tokens": float(answers.prompt_tokens.mean()),
        "seconds_p50": None if p50 is None else float(p50),
        "seconds_p95": None if p95 is None else float(p95),
    }


def _ece_of_calibrated(answers: Answers) -> Cell:
    """What the calibration error would be by chance, were every confidence right."""
    answered = answers.answered
    return metrics.ece_of_calibrated(answers.confidence[answered], BINS) if answered.any() else None


def by_kind(answers: Answers, outcomes: Sequence[Outcome]) -> dict[str, Cell]:
    """The accuracy on the questions of each kind."""
    kinds = np.array([outcome.question.kind for outcome in outcomes])
    return {kind: answers.figure("accuracy", np.flatnonzero(kinds == kind)) for kind in KINDS}


def curve(answers: Answers) -> list[tuple[float, float]]:
    """Points (coverage, risk) of at most `POINTS` coverages, the surest answers first."""
    answered = answers.answered
    if not answered.any():
        return []
    points = metrics.risk_coverage(answers.confidence[answered], ~answers.right[answered], answered.size)
    kept = np.unique(np.linspace(0, len(points) - 1, min(POINTS, len(points))).round().astype(int))
    return [points[number] for number in kept]


def diagram(answers: Answers) -> list[metrics.Bin]:
    """The reliability diagram of one way's answers."""
    answered = answers.answered
    return metrics.reliability(answers.confidence[answered], answers.right[answered], BINS) if answered.any() else []


def difference(one: Answers, other: Answers, name: str, at: Places, resamples: Sequence[Places]) -> dict[str, Any]:
    """How much more of a figure `one` has than `other`, on the same questions and the same resamples."""

    def more(places: Places) -> Cell:
        left, right = one.figure(name, places), other.figure(name, places)
        return None if left is None or right is None else left - right

    return _interval(more(at), [more(drawn) for drawn in resamples])


def _interval(value: Cell, resampled: Sequence[Cell]) -> dict[str, Any]:
    interval = None if value is None else metrics.percentile_interval(resampled)
    return {"value": value, "low": interval[0] if interval else None, "high": interval[1] if interval else None}
