"""The router's heads fitted anew on some outcomes, and what the router would have answered with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from hybridmem.evaluation.routing.outcome import Heard, Outcome, Said
from hybridmem.models.prompts import REFUSAL
from hybridmem.router import calibration as calibrations
from hybridmem.router.calibration import Calibration, Graded
from hybridmem.router.decision import decide, settles
from hybridmem.router.signals import SIGNALS, Head

ALL = frozenset(signal.name for signal in SIGNALS)


def heard_by(outcome: Outcome, signals: Collection[str] = ALL) -> dict[Head, Heard]:
    """What was heard to the question, by head, with only these `signals`: the others are 0, as if they were not."""
    heard: dict[Head, Heard | None] = {"weights": outcome.weights, "retrieval": outcome.memories}
    return {
        head: replace(each, features={name: value * (name in signals) for name, value in each.features.items()})
        for head, each in heard.items()
        if each
    }


def graded(outcomes: Sequence[Outcome], signals: Collection[str] = ALL) -> list[Graded]:
    """The questions of `outcomes` as calibration is fitted on them, and judged by them."""
    unfitted = Calibration()
    found = []
    for outcome in outcomes:
        heard = {head: each.judged(unfitted, head) for head, each in heard_by(outcome, signals).items()}
        is_right = partial(outcome.question.is_right, refused=False)
        fact = "-".join(map(str, outcome.cluster))
        found.append(Graded.of(heard.get("weights"), heard.get("retrieval"), is_right, fact))
    return found


def refitted(outcomes: Sequence[Outcome], signals: Collection[str] = ALL) -> Calibration:
    """Heads and threshold as a dream would fit them, had it asked these questions and no others."""
    return calibrations.fit(graded(outcomes, signals))


def replayed(outcome: Outcome, calibration: Calibration, signals: Collection[str] = ALL) -> Said:
    """What the router would have answered with this calibration, of what it heard."""
    judged = {head: each.judged(calibration, head) for head, each in heard_by(outcome, signals).items()}
    weights = judged.get("weights")
    memories = None if settles(weights, calibration.threshold) else judged.get("retrieval")
    decision = decide(weights, memories, calibration.threshold)
    answered = decision.reading if decision.route != "abstain" else None
    return Said(
        text=answered.said.text if answered else REFUSAL,
        route=decision.route,
        confidence=decision.confidence,
        prompt_tokens=sum(reading.said.prompt_tokens for reading in (weights, memories) if reading),
    )
