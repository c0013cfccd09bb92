"""The risk that the router takes: which share of all questions may be answered wrongly, and what it does to keep it.

A threshold on the confidence is set by conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814) on questions
whose answers are known. It holds in expectation while questions come from where these came from. When the mix shifts
they do not: every wrong answer that somebody reports above the promise then raises the threshold, and the promise comes
back of itself (adaptive conformal inference: Gibbs and Candès 2021, arXiv:2106.00170). What is reported bounds what can
go wrong: of n questions with feedback, at most risk · n + `MOST_ABOVE` + 1 are answered wrongly, whatever is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.core.records import Route
from hybridmem.router.decision import Better, choose, is_settled

DEFAULT_THRESHOLD = 0.5
MOST_ABOVE = 6.0
"""Wrong answers above the promise at which nothing is answered any more, until right answers or refusals make up."""
NEVER = -math.inf
"""The level of a question that no threshold gets wrong."""
Said = tuple[float, bool]
"""The confidence of a reading, and whether it is right."""
Level = tuple[float, float]
"""The highest threshold at which a question is answered wrongly, and for how many questions it stands."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question whose answer is known: the confidence of each reading that answers, and whether that is right. None
    stands for a reading that does not answer."""

    weights: Said | None = None
    memories: Said | None = None
    better: Better = ""

    def is_answered(self, threshold: float) -> bool:
        """Whether the router answers it with this threshold."""
        return self.answer(threshold) is not None

    def is_wrong(self, threshold: float) -> bool:
        """Whether the router answers it wrongly with this threshold."""
        said = self.answer(threshold)
        return said is not None and not said[1]

    def answer(self, threshold: float) -> Said | None:
        """What the router says with this threshold: the confidence, and whether it is right; None for a refusal."""
        memories = self.memories
        if self.weights and is_settled(self.weights[0], threshold):
            memories = None
        route, confidence = self._choice(memories)
        said = memories if route == "retrieval" else self.weights
        return (confidence, said[1]) if said and confidence >= threshold else None

    def _choice(self, memories: Said | None) -> tuple[Route, float]:
        return choose(self.weights[0] if self.weights else None, memories[0] if memories else None, self.better)

    @property
    def level(self) -> float:
        """The highest threshold at which it is answered wrongly; `NEVER` where it is at none.

        Where a question is wrong at some threshold, it counts as wrong at every lower one: a higher threshold can ask
        the memories too, and these may be the ones that are wrong."""
        confidences = [self._choice(self.memories)[1], self._choice(None)[1]]
        return max((each for each in confidences if self.is_wrong(each)), default=NEVER)


def threshold_for(levels: Sequence[Level], asked: float, risk: float) -> float | None:
    """The lowest threshold t such that (n R(t) + 1) / (n + 1) <= risk, where n is the weight of all questions `asked`,
    and R(t) the share of it that is answered wrongly at t: of those whose one of `levels` is t or more. 0 where all may
    be answered. None when no threshold satisfies it: n is too small for that risk."""
    allowed = risk * (asked + 1) - 1 + 1e-9
    if allowed < 0:
        return None
    wrong = 0.0
    for level, weight in sorted(levels, reverse=True):
        wrong += weight
        if wrong > allowed:
            return math.nextafter(level, math.inf)
    return 0.0


def raised(threshold: float, above: float) -> float:
    """The threshold when that many wrong answers `above` the promise were reported: at `MOST_ABOVE`, above every
    confidence."""
    return threshold + (math.nextafter(1.0, math.inf) - threshold) * min(1.0, above / MOST_ABOVE)


def counted(above: float, wrong: bool, risk: float) -> float:
    """Wrong answers above the promise, after one more question: a running sum that never falls below 0."""
    return max(0.0, above + wrong - risk)
