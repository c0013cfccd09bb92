"""Which of two readings of a question is answered: what the weights said, what the memories say, both, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridmem.core.records import Route
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import Generation

SURE = 0.8
"""Weights this confident are not checked against retrieval."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One route's completion and its calibrated confidence."""

    said: Generation
    confidence: float
    features: Mapping[str, float]
    prompt: Sequence[prompts.Message] = ()
    """The messages that it answers."""

    @property
    def refuses(self) -> bool:
        return prompts.is_refusal(self.said.text)


@dataclass(frozen=True, slots=True)
class Decision:
    """The route that answers, and on which reading."""

    route: Route
    confidence: float
    """Of an answer, that it is right; of an abstention, that the answer is not known."""
    reading: Reading | None
    """What is said, or what is doubted where the route is to abstain; None where nobody was asked."""


def settles(weights: Reading | None, threshold: float) -> bool:
    """Whether the weights are so sure that the memories need not be read."""
    return weights is not None and not weights.refuses and weights.confidence >= max(SURE, threshold)


def decide(weights: Reading | None, memories: Reading | None, threshold: float) -> Decision:
    """Of two readings that say the same, that; else the more confident one, where its confidence is `threshold` or
    more. None stands for a reading that there is not."""
    answering = [reading for reading in (weights, memories) if reading and not reading.refuses]
    if not answering:
        return abstention(weights or memories)
    if len(answering) == 2 and is_correct(answering[0].said.text, answering[1].said.text):
        one, other = answering
        return Decision("both", 1 - (1 - one.confidence) * (1 - other.confidence), one)
    best = max(answering, key=lambda reading: reading.confidence)
    if best.confidence < threshold:
        return abstention(best)
    return Decision("weights" if best is weights else "retrieval", best.confidence, best)


def abstention(doubted: Reading | None) -> Decision:
    """To say nothing. Its confidence is that of the answer not being known: 1 - P(correct)."""
    known = doubted.confidence if doubted and not doubted.refuses else 0.0
    return Decision("abstain", 1 - known, doubted)
