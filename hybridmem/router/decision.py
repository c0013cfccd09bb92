"""Which of two readings of a question is answered: what the weights said, what the memories say, both, or neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hybridmem.core.records import Route
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import Generation

Better = Literal["weights", "retrieval", "both", ""]
"""Which of two answers is to be believed, however sure they are; "" where nothing but that tells."""
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
    return weights is not None and not weights.refuses and is_settled(weights.confidence, threshold)


def is_settled(weights: float, threshold: float) -> bool:
    """`settles` for the confidence of weights that answer."""
    return weights >= max(SURE, threshold)


def between(
    weights: Reading | None, memories: Reading | None, if_they_differ: Callable[[], Better] = lambda: ""
) -> Better:
    """How two readings go together: "both" where they answer the same, `if_they_differ` where they do not, else ""."""
    if weights is None or memories is None or weights.refuses or memories.refuses:
        return ""
    return "both" if is_correct(weights.said.text, memories.said.text) else if_they_differ()


def choose(weights: float | None, memories: float | None, better: Better) -> tuple[Route, float]:
    """The route to answer by and its confidence, from the confidences of the readings that answer: both where they say
    the same, else the `better` one, or the more confident. None stands for a reading that does not answer."""
    if weights is not None and memories is not None and better in ("weights", "retrieval"):
        return ("weights", weights) if better == "weights" else ("retrieval", memories)
    if weights is not None and memories is not None and better == "both":
        # The product rounds: two that agree are no less likely to be right than one of them.
        return "both", max(weights, memories, 1 - (1 - weights) * (1 - memories))
    if weights is not None and (memories is None or weights >= memories):
        return "weights", weights
    return ("abstain", 0.0) if memories is None else ("retrieval", memories)


def decide(
    weights: Reading | None, memories: Reading | None, threshold: float, better: Better | None = None
) -> Decision:
    """What `choose` says, where its confidence is `threshold` or more; `better` as `between` gives it, which it is by
    default. None stands for a reading that there is not."""
    one = weights if weights and not weights.refuses else None
    other = memories if memories and not memories.refuses else None
    route, confidence = choose(
        one.confidence if one else None,
        other.confidence if other else None,
        between(one, other) if better is None else better,
    )
    best = other if route == "retrieval" else one
    if best is None or confidence < threshold:
        return Decision("abstain", 1 - confidence, best or weights or memories)
    return Decision(route, confidence, best)


def abstention(doubted: Reading | None) -> Decision:
    """To say nothing. Its confidence is that of the answer not being known: 1 - P(correct)."""
    known = doubted.confidence if doubted and not doubted.refuses else 0.0
    return Decision("abstain", 1 - known, doubted)
