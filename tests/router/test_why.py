"""One sentence for every route, and for every reason against the weights."""

from __future__ import annotations

from typing import Any

import pytest

from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL
from hybridmem.router.decision import Reading, decide
from hybridmem.router.signals import Evidence
from hybridmem.router.why import why

KNOWN = {"fact": "f1", "names_subject": True, "consolidated": True, "audited": 0.75, "fresh": True}


def reading(text: str, confidence: float) -> Reading:
    return Reading(Generation(text, 5, 1, -0.1, 0.9, 1.0, 0.1), confidence, {})


def told(weights: Reading | None, memories: Reading | None, **known: Any) -> str:
    decision = decide(weights, memories, 0.6)
    return why(decision, Evidence(**{**KNOWN, **known}), weights, memories, 0.6, 0.05)


@pytest.mark.parametrize(
    ("weights", "memories", "begins"),
    [
        (reading("Riga", 0.9), None, "The weights learned this, gave 75% of the right answers when they were audited"),
        (
            reading("Riga", 0.7),
            reading("Oslo", 0.65),
            "The weights are 70% sure of their answer, and the memories 65%.",
        ),
        (reading("Riga", 0.7), reading(REFUSAL, 0.9), "The weights are 70% sure of their answer, and the memories do"),
        (reading("Riga", 0.7), reading("Riga", 0.5), "The weights and the memories say the same, which is 85% likely"),
        (reading("Riga", 0.6), reading("Oslo", 0.7), "The memories were read, because the weights are only 60% sure;"),
        (reading(REFUSAL, 0.9), reading("Oslo", 0.7), "The memories were read, because the weights do not say;"),
        (None, None, "Nothing that is remembered looks like an answer"),
        (None, reading(REFUSAL, 0.9), "What was read does not say."),
        (None, reading("Oslo", 0.4), "The best answer, “Oslo”, is only 40% sure: from 60% up, 5% of the questions"),
    ],
)
def test_every_route_has_its_sentence(weights: Reading | None, memories: Reading | None, begins: str) -> None:
    said = told(weights, memories)
    assert said.startswith(begins), said
    assert said.endswith(".") and "\n" not in said


@pytest.mark.parametrize(
    ("known", "because"),
    [
        ({"fact": None}, "no fact is about this"),
        ({"consolidated": False}, "not in the weights"),
        ({"names_subject": False}, "does not name whom"),
        ({"holds_then": False}, "a time at which"),
        ({"fresh": False}, "something was said since"),
        ({"wording": 0.0}, "asks something else"),
        ({"audited": 0.0}, "failed their audit"),
        ({}, "may not be asked"),
    ],
)
def test_what_keeps_the_weights_from_being_asked_is_named(known: dict[str, Any], because: str) -> None:
    assert because in told(None, reading("Oslo", 0.9), **known)


def test_a_long_answer_is_cut() -> None:
    assert len(told(None, reading("Oslo " * 100, 0.4))) < 200
