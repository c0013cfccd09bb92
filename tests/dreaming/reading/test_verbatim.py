"""A sentence that stands on its own is kept as it is, and only then."""

from __future__ import annotations

import pytest

from hybridmem.core.records import Episode
from hybridmem.dreaming.reading.source import Source
from hybridmem.dreaming.reading.verbatim import in_own_words
from hybridmem.models.prompts import Mood
from tests.dreaming.nights import ANA, NIGHT


def kept(message: str, *found: tuple[Mood, str]) -> list[str]:
    source = Source(Episode("e1", ANA, message, at=NIGHT, recorded_at=NIGHT), message)
    return [text for _, text in in_own_words(found, source)]


@pytest.mark.parametrize(
    ("message", "garbled"),
    [
        ("At the pool, locker 892 belongs to Ana Brito.", "The locker of locker 892 belongs to Ana Brito."),
        ("The home port of the ferry Jabra is Tampa.", "Jabra is on the home port of the ferry."),
        ("April is when the Vatrom project goes to the customer.", "The Vatrom project is on 2026-03-01."),
    ],
)
def test_a_plain_sentence_stays_as_it_was_said(message: str, garbled: str) -> None:
    assert kept(message, ("asserted", garbled)) == [message]


@pytest.mark.parametrize(
    ("message", "restated"),
    [
        ("My locker at the pool is 892 now.", "The user's locker at the pool is 892."),
        ("She sold the red car in May.", "Hanne sold the red car in May."),
        ("You will know Ana by the crimson bicycle.", "Ana has the crimson bicycle."),
        ("Does Ana live in the old town?", "Ana lives in the old town."),
    ],
)
def test_what_needs_restating_is_restated(message: str, restated: str) -> None:
    assert kept(message, ("asserted", restated)) == [restated]


def test_one_sentence_that_says_two_things_stays_two() -> None:
    two = ("Priya takes over billing from Marcus.", "Marcus moves to infra.")
    message = "Priya takes over billing from Marcus, Marcus moves to infra."
    assert kept(message, *(("asserted", text) for text in two)) == list(two)


def test_a_mood_that_is_not_believed_changes_nothing() -> None:
    assert kept("The old lift is out of order again.", ("joked", "The lift is out.")) == ["The lift is out."]
