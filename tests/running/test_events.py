"""Where events begin, and how messages become chunks."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.running.chunks import Piece, packed
from hybridmem.running.events import boundaries, events
from hybridmem.running.settings import SessionSettings

SETTINGS = SessionSettings(chunk=64, min_event=4, max_event=12, window=16)
NATS = st.lists(st.floats(0, 20), max_size=60)


def test_an_event_begins_at_a_surprise() -> None:
    nats = [2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 9.0, 1.0, 2.0, 1.0, 2.0]
    assert boundaries(nats, SETTINGS) == [0, 6]
    assert boundaries(nats, dataclasses.replace(SETTINGS, gamma=200.0)) == [0]


@given(NATS, st.integers(0, 60))
def test_events_have_their_sizes_and_what_follows_moves_none(nats: list[float], at: int) -> None:
    starts = boundaries(nats, SETTINGS)
    lengths = [stop - start for start, stop in zip(starts, [*starts[1:], len(nats)], strict=True)]
    assert all(SETTINGS.min_event <= length <= SETTINGS.max_event for length in lengths[:-1])
    assert lengths[-1] <= SETTINGS.max_event
    # Only where a message ends, and so how much room there is for a last event, looks ahead.
    before = boundaries(nats[:at], SETTINGS)
    sure = at - SETTINGS.min_event
    assert [start for start in before if start <= sure] == [start for start in starts if start <= sure]


@given(st.lists(NATS.filter(bool), min_size=1, max_size=4))
def test_no_event_is_of_two_messages(messages: list[list[float]]) -> None:
    named = [(f"m{number}", len(nats)) for number, nats in enumerate(messages)]
    found = events(named, [each for nats in messages for each in nats], SETTINGS)
    assert [event.start for event in found] == [0, *[event.stop for event in found[:-1]]]
    for name, tokens in named:
        assert sum(event.tokens for event in found if event.message == name) == tokens
    assert sum(event.surprise for event in found) == pytest.approx(sum(map(sum, messages)), abs=1e-6)


@given(st.lists(st.integers(1, 10), max_size=20), st.integers(0, 10))
def test_chunks_are_filled_in_order(lengths: list[int], room: int) -> None:
    pieces = [Piece(f"m{number}", (0,) * length) for number, length in enumerate(lengths)]
    groups = list(packed(pieces, room, 10))
    assert [piece for group in groups for piece in group] == pieces
    assert sum(len(piece.ids) for piece in groups[0]) <= room or not groups[0]
    assert all(group and sum(len(piece.ids) for piece in group) <= 10 for group in groups[1:])
