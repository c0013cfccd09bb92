"""Outcomes in a few words, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping

from hybridmem.evaluation.routing.outcome import Heard, Outcome, Said
from hybridmem.evaluation.routing.question import RouterQuestion
from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL
from hybridmem.router.signals import SIGNALS

NEUTRAL = {signal.name: max(signal.low, 0.0) for signal in SIGNALS}


def question(text: str = "Where is Ana?", answer: str | None = "Riga", **values: object) -> RouterQuestion:
    fields = {"id": "q1", "night": 1, "moment": "night", "kind": "consolidated", "fact": "f1", "part": "test"}
    return RouterQuestion(text=text, answer=answer, **{**fields, **values})


def said(text: str | None, confidence: float = 0.9, tokens: int = 10, seconds: float | None = 0.5) -> Said:
    """None is a refusal."""
    if text is None:
        return Said(REFUSAL, "abstain", confidence, tokens, seconds)
    return Said(text, "retrieval", confidence, tokens, seconds)


def heard(text: str | None, *, entropy: float = 0.1, tokens: int = 10, **features: float) -> Heard:
    spoken = Generation(REFUSAL if text is None else text, tokens, 1, -0.1, 0.9, 1.0, entropy)
    return Heard(spoken, {**NEUTRAL, **features})


def outcome(
    asked: RouterQuestion | None = None,
    ways: Mapping[str, Said] | None = None,
    *,
    weights: Heard | None = None,
    memories: Heard | None = None,
    closed_book: Heard | None = None,
    popularity: int = 0,
    seed: int = 0,
) -> Outcome:
    every = dict.fromkeys(("router", "weights", "retrieval", "both", "full context"), said(None))
    return Outcome(
        seed,
        asked or question(),
        {**every, **(ways or {})},
        weights,
        memories,
        closed_book,
        weights is not None,
        popularity,
    )
