"""Which events of a session a question reads: those that its own tokens attend to most.

The attention mass of an event is what its keys get together, after the softmax over the opening and the whole session,
as the mean over the question's tokens and the heads of one layer: a single high score says little. Keys and queries are
compared without their positions, so nothing has to be turned before it is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk
from hybridmem.running.events import Event
from hybridmem.running.reader import SessionReader


@dataclass(frozen=True, slots=True)
class Chosen:
    """Keys that a question reads, in the order of the session."""

    tokens: tuple[tuple[int, Tensor], ...]
    """(number of a chunk, int64 (n,) of its keys)"""
    events: tuple[Event, ...]
    """Whose keys they are, in the order of the session."""

    def __len__(self) -> int:
        return sum(len(keys) for _, keys in self.tokens)


def everything(chunks: Sequence[Chunk]) -> Chosen:
    """All events: what is chosen as long as they fit."""
    tokens = tuple((number, torch.arange(len(chunk.kept))) for number, chunk in enumerate(chunks) if len(chunk.kept))
    return Chosen(tokens, tuple(event for chunk in chunks for event in chunk.events))


def masses(reader: SessionReader, chunks: Sequence[Chunk], layer: int, queries: Tensor) -> list[float]:
    """The attention mass of each event of `chunks`, in their order, for the bare `queries` of the `layer`, float32
    (heads of keys, queries that share one, n, size)."""
    one = slice(layer, layer + 1)
    opening = reader.opening_keys[0][layer]
    keys = torch.cat([opening, *(chunk.kept.read_keys(one)[0] for chunk in chunks)], dim=1)
    heads, shared, n, size = queries.shape
    scores = queries.reshape(heads, shared * n, size) @ keys.mT * reader.attention(layer).scaling
    mass = torch.softmax(scores, dim=-1)[..., opening.shape[1] :].mean(dim=(0, 1))
    events = [event for chunk in chunks for event in chunk.events]
    of = torch.repeat_interleave(torch.tensor([len(event) for event in events], device=mass.device))
    return torch.zeros(len(events), device=mass.device).index_add(0, of, mass).tolist()


def choose(chunks: Sequence[Chunk], mass: Sequence[float], budget: int) -> Chosen:
    """Keys of the events with the greatest `mass`, `budget` of them: each event with its neighbours of the same
    message, because a value often stands beside the name that is asked for. The last event that fits in part is cut."""
    events = [(number, event) for number, chunk in enumerate(chunks) for event in chunk.events]
    taken: dict[int, int] = {}
    room = budget
    for best in sorted(range(len(events)), key=lambda at: (-mass[at], -at)):
        for at in (best, best + 1, best - 1):
            if not room:
                break
            if at in taken or not 0 <= at < len(events) or events[at][1].message != events[best][1].message:
                continue
            taken[at] = min(room, len(events[at][1]))
            room -= taken[at]
    by_chunk: dict[int, list[Tensor]] = {}
    for at in sorted(taken):
        number, event = events[at]
        by_chunk.setdefault(number, []).append(torch.arange(event.start, event.start + taken[at]))
    return Chosen(
        tuple((number, torch.cat(keys)) for number, keys in by_chunk.items()),
        tuple(events[at][1] for at in sorted(taken)),
    )
