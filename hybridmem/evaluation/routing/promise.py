"""Whether the router keeps to the risk that was named: on questions like those that it was calibrated on, and on a
stream whose mix of questions shifts, with feedback and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hybridmem import metrics
from hybridmem.evaluation.routing.outcome import Outcome
from hybridmem.evaluation.routing.policies import of_part
from hybridmem.evaluation.routing.refitting import graded
from hybridmem.router.calibration import Graded
from hybridmem.router.feedback import GradedQuestions

REFITTED_EVERY = 25
"""Questions with feedback."""
RISKS = (0.05, 0.1, 0.2)


def promises(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A row for each risk, stream of questions and with or without feedback.

    The questions of `fit` and `dev` calibrate, and those of `test` are asked. Where the mix shifts, only questions that
    have an answer calibrate, and these are asked first; what nothing answers comes after them. `feedback` is given
    after every question. `wrong` are answered wrongly: by chance no more than `bound` would be, in 39 of 40 streams at
    exactly that risk; `feasible` is what the router says of its promise before the first question."""
    calibrating, test = [*of_part(outcomes, "fit"), *of_part(outcomes, "dev")], of_part(outcomes, "test")
    answerable = [each for each in test if each.question.answer is not None]
    unanswerable = [each for each in test if each.question.answer is None]
    streams = {
        "alike": (calibrating, test),
        "shifting": ([each for each in calibrating if each.question.answer is not None], [*answerable, *unanswerable]),
    }
    return [
        _kept(name, graded(before), graded(asked), risk, with_feedback)
        for risk in RISKS
        for name, (before, asked) in streams.items()
        for with_feedback in (False, True)
    ]


def _kept(
    stream: str, before: Sequence[Graded], asked: Sequence[Graded], risk: float, with_feedback: bool
) -> dict[str, Any]:
    known = GradedQuestions(audits=tuple(before))
    calibration = first = known.calibration(risk, ())
    wrong = answered = 0
    for number, question in enumerate(asked, start=1):
        judged = question.judged(calibration)
        is_wrong = judged.is_wrong(calibration.threshold)
        wrong += is_wrong
        answered += judged.is_answered(calibration.threshold)
        if with_feedback:
            known = known.with_feedback(question, is_wrong, risk)
            # Heads change slowly and take time to fit; how careful the router is changes at once.
            refitted = known.calibration(risk, ()) if number % REFITTED_EVERY == 0 else calibration
            calibration = replace(refitted, above=known.above).at(risk)
    bound = metrics.most_by_chance(len(asked), risk)
    return {
        "risk": risk,
        "stream": stream,
        "feedback": with_feedback,
        "asked": len(asked),
        "answered": answered,
        "wrong": wrong,
        "wrong_rate": wrong / len(asked) if asked else None,
        "bound": bound,
        "holds": wrong <= bound,
        "feasible": first.feasible,
        "threshold": first.threshold,
    }
