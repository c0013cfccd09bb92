"""A step's rows in parts of like length, none larger than the memory has room for.

A batch of the dream has a few long rows (reading, general text) among many short ones: padded together, four of five
tokens would be padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hybridmem.models.huggingface.memory_budget import MemoryBudget, Shape
from hybridmem.models.trainable import Example

PART_SLOTS = 200
"""What a pass of its own costs beside its tokens, in tokens: measured at the bundled base's size on two cores."""
_PART_WEIGHTS = 655_360
"""Weights of one of that base's layers."""


def part_slots(shape: Shape) -> int:
    """What a pass of its own costs on a CPU in tokens of a model of `shape`: a layer calls as many kernels however wide
    it is, and a token costs as its weights do. Never more than `PART_SLOTS`."""
    weights = 4 * shape.hidden * shape.attention + 3 * shape.hidden * shape.intermediate
    return max(1, min(PART_SLOTS, PART_SLOTS * _PART_WEIGHTS // weights))


def microbatches(
    rows: Sequence[Example], room: MemoryBudget | None = None, *, slots: int = PART_SLOTS
) -> list[list[Example]]:
    """`rows` in the parts, each of like length, that cost least: a slot of padding costs as much as a token, and a part
    of its own as much as `slots`. No part is larger than there is `room` for."""
    ordered = sorted(rows, key=lambda e: len(e.prompt) + len(e.completion))
    lengths = [len(e.prompt) + len(e.completion) for e in ordered]
    # best[n] is the cost of the first n rows, and where their last part begins.
    best: list[tuple[int, int]] = [(0, 0)]
    for stop in range(1, len(ordered) + 1):
        longest = lengths[stop - 1]
        starts = range(stop - 1, -1, -1) if room is None else _starts(ordered, stop, room)
        best.append(min((best[at][0] + slots + (stop - at) * longest, at) for at in starts))
    parts: list[list[Example]] = []
    stop = len(ordered)
    while stop:
        at = best[stop][1]
        parts.append(ordered[at:stop])
        stop = at
    return parts[::-1]


def _starts(ordered: Sequence[Example], stop: int, room: MemoryBudget) -> Iterator[int]:
    """Where a part of `ordered` that ends before `stop` may begin, the nearest first."""
    longest = len(ordered[stop - 1].prompt) + len(ordered[stop - 1].completion)
    before = longest
    for at in range(stop - 1, -1, -1):
        before = min(before, max(0, len(ordered[at].prompt) - 1))
        if not room.trains(stop - at, longest, longest - before):
            return
        yield at
