"""The ways to answer that are set side by side, each a function of what was heard and said.

What has something to fit is fitted on the part `fit` and chosen on `dev`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hybridmem import metrics
from hybridmem.evaluation.routing.outcome import ABSTAINED, FORCED, FULL_CONTEXT, Outcome, Said
from hybridmem.evaluation.routing.question import Part
from hybridmem.evaluation.routing.refitting import refitted, replayed

Policy = Callable[[Outcome], Said]
REFITTED, ABSTAIN, ORACLE = "router, refitted", "abstain", "oracle"
THRESHOLDS = 20
"""Values of a score that are tried as its threshold."""
SHORTLIST = 5
"""Thresholds that the part `fit` leaves to `dev`."""

Score = Callable[[Outcome], float]
"""Higher where the weights are rather to be believed."""


def popularity(outcome: Outcome) -> float:
    """How often the memory speaks of what the question names (Mallen et al. 2023, arXiv:2212.10511: a model's own
    answers are right about popular things, and retrieval is for the rest)."""
    return float(outcome.popularity)


def certainty(outcome: Outcome) -> float:
    """The negative mean entropy of the closed-book answer's tokens, in nats; minus infinity where there is none."""
    heard = outcome.closed_book
    return -heard.said.entropy if heard and not heard.refuses else -math.inf


@dataclass(frozen=True, slots=True)
class ThresholdPolicy:
    """The weights where a score is high enough, else retrieval."""

    score: Score
    threshold: float
    asks_first: bool
    """Whether the weights have to be asked before the score is known."""

    def __call__(self, outcome: Outcome) -> Said:
        weights, retrieval = outcome.said["weights"], outcome.said["retrieval"]
        if self.score(outcome) >= self.threshold:
            return weights
        if not self.asks_first:
            return retrieval
        return replace(
            retrieval,
            prompt_tokens=weights.prompt_tokens + retrieval.prompt_tokens,
            seconds=(weights.seconds or 0.0) + (retrieval.seconds or 0.0),
        )


def policies(outcomes: Sequence[Outcome]) -> dict[str, Policy]:
    """Every way, by its name, in the order of the tables."""
    fit, dev = of_part(outcomes, "fit"), of_part(outcomes, "dev")
    ways: dict[str, Policy] = {way: partial(_said, way) for way in (*FORCED, FULL_CONTEXT)}
    calibration = refitted(fit)
    return {
        "router": ways.pop("router"),
        REFITTED: lambda outcome: replayed(outcome, calibration),
        **ways,
        ABSTAIN: lambda outcome: ABSTAINED,
        "popularity threshold": fitted(popularity, fit, dev, asks_first=False),
        "entropy threshold": fitted(certainty, fit, dev, asks_first=True),
        ORACLE: oracle,
    }


def of_part(outcomes: Sequence[Outcome], part: Part) -> list[Outcome]:
    """The outcomes of one part."""
    return [outcome for outcome in outcomes if outcome.question.part == part]


def accuracy(policy: Policy, outcomes: Sequence[Outcome]) -> float:
    """Share of questions that are answered rightly, or refused where nothing answers them; 0 without questions."""
    return metrics.mean(outcome.is_right(policy(outcome)) for outcome in outcomes) or 0.0


def fitted(score: Score, fit: Sequence[Outcome], dev: Sequence[Outcome], *, asks_first: bool) -> ThresholdPolicy:
    """The policy whose threshold is, of the few that are best on `fit`, the best on `dev`; of equal ones the highest,
    which leaves more to retrieval."""
    levels = sorted({score(outcome) for outcome in fit} - {-math.inf})
    step = max(1, len(levels) // THRESHOLDS)
    tried = [ThresholdPolicy(score, threshold, asks_first) for threshold in (*levels[::step], math.inf)]
    tried.reverse()
    best = sorted(tried, key=lambda policy: -accuracy(policy, fit))[:SHORTLIST]
    return max(best, key=lambda policy: (accuracy(policy, dev), policy.threshold))


def oracle(outcome: Outcome) -> Said:
    """A route that is right where there is one, the cheapest of them; else a refusal. What any choice of the router's
    routes could reach, its own two steps among them."""
    routes = [ABSTAINED, *(outcome.said[way] for way in FORCED)]
    right = [said for said in routes if outcome.is_right(said)]
    return replace(min(right, key=lambda said: said.prompt_tokens, default=ABSTAINED), confidence=1.0)


def _said(way: str, outcome: Outcome) -> Said:
    return outcome.said[way]
