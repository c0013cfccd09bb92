"""Which events of a session a question reads: those that its own words attend to.

The attention mass of an event is what its keys get together, after the softmax over the opening, the whole session and
the question. The mean of that over heads and tokens finds nothing: most heads look beside them, and most words ask for
nothing. A few heads in the first third of the layers go from a name to its other mentions, so an event counts for the
largest mass that any head of these layers gives it at any word of the question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk
from hybridmem.running.reader import Probe, SessionReader

DISTANCE = 256
"""How far behind every event a question stands while its events are chosen: near enough to be trained for, far enough
that the heads which look at the last few words do not look at them."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Keys that a question reads, in the order of the session."""

    tokens: tuple[tuple[int, Tensor], ...]
    """(number of a chunk, int64 (n,) of its keys)"""
    events: tuple[int, ...]
    """Numbers of the events whose keys they are."""

    def __len__(self) -> int:
        return sum(len(keys) for _, keys in self.tokens)


def everything(chunks: Sequence[Chunk]) -> Chosen:
    """All events: what is chosen as long as they fit."""
    every = (torch.arange(len(chunk.kept), device=chunk.kept.keys.device) for chunk in chunks)
    tokens = tuple((number, keys) for number, keys in enumerate(every) if len(keys))
    return Chosen(tokens, tuple(range(sum(len(chunk.events) for chunk in chunks))))


def probed_layers(count: int) -> range:
    """Of so many layers that attend, those whose heads are asked: below, words mean nothing yet, and each layer above
    would cost a part of the question's forward pass."""
    first = count // 6
    return range(first, max(first + 1, math.ceil(count / 3)))


def masses(reader: SessionReader, chunks: Sequence[Chunk], ids: Sequence[int], words: slice) -> list[float]:
    """The attention mass of each event of `chunks`, in their order, for a question of `ids` with its own `words`."""
    layers = probed_layers(len(reader.layers))
    lengths = torch.tensor([len(event) for chunk in chunks for event in chunk.events], device=reader.device)
    most = torch.zeros(len(lengths), device=reader.device)
    for layer, probe in reader.probe(ids, layers).items():
        most = torch.maximum(most, _masses(reader, chunks, layer, probe, words, lengths))
    return most.tolist()


def _masses(
    reader: SessionReader, chunks: Sequence[Chunk], layer: int, probe: Probe, words: slice, lengths: Tensor
) -> Tensor:
    """(events,): the largest mass by a head of one layer, at one of `words`."""
    opening = reader.opening_keys[0][layer]
    one = slice(layer, layer + 1)
    behind = torch.cat([opening, *(chunk.kept.read_keys(one)[0] for chunk in chunks)], dim=1)
    heads, shared, count, size = probe.queries.shape
    positions = torch.arange(DISTANCE, DISTANCE + count, device=reader.device)
    queries = reader.rotation.placed(probe.queries, positions)[:, :, words]
    own = reader.rotation.placed(probe.keys, positions)
    asked = queries.reshape(heads, -1, size) * reader.attention(layer).scaling
    later = torch.arange(count, device=reader.device) > torch.arange(count, device=reader.device)[words, None]
    among = (asked @ own.mT).masked_fill(later.repeat(shared, 1), -torch.inf)
    attention = torch.softmax(torch.cat([asked @ behind.mT, among], dim=-1), dim=-1)
    session = attention[..., opening.shape[1] : behind.shape[1]]
    found = torch.segment_reduce(session.flatten(0, 1).T.contiguous(), "sum", lengths=lengths, axis=0)
    return found.amax(dim=1)


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
        keys = torch.arange(event.start, event.start + taken[at], device=chunks[number].kept.keys.device)
        by_chunk.setdefault(number, []).append(keys)
    return Chosen(tuple((number, torch.cat(keys)) for number, keys in by_chunk.items()), tuple(sorted(taken)))
