from __future__ import annotations

import pytest

from hybridmem.core.text.tokens import tokens
from hybridmem.dreaming.reading.unsaid import unsaid

HANNE = "Hanne's train home takes 50 minutes; she used to drive but sold the Polo in the summer."
LEASE = "So I finally signed the lease, we're moving to Ghent on the 1st of December, me and Tomas."


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (HANNE, "How long does Hanne's train take?"),
        (HANNE, "Hanne sold the Polo in the summer of 2026."),
        (HANNE, "What did Hanne sell?"),
        (LEASE, "Which city are we moving to?"),
        (LEASE, "The user moves to Ghent on 2026-12-01 with Tomas."),
    ],
)
def test_what_was_said_may_be_asked_in_other_forms(message: str, text: str) -> None:
    assert unsaid(text, tokens(message)) == []


@pytest.mark.parametrize(
    ("message", "text", "words"),
    [
        (HANNE, "Which team did Hanne buy?", ["team", "buy"]),
        (LEASE, "Which suburb did you think of moving to?", ["suburb", "think"]),
        (LEASE, "The Ghent building is moving to Ghent.", ["building"]),
    ],
)
def test_what_nobody_said_is_named(message: str, text: str, words: list[str]) -> None:
    assert unsaid(text, tokens(message)) == words
