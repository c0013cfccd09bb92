"""The cache that a question is read behind: the opening, and the chosen events at the positions that follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk
from hybridmem.running.events import Event
from hybridmem.running.reader import SessionReader
from hybridmem.running.selection import Chosen, choose, everything, masses

GROUPS = 4
"""Groups of neighbouring layers that read the same events, which the first layer of each chooses."""


class SessionPrefix:
    """What one question reads of `chunks`: at most `budget` of their keys."""

    def __init__(self, reader: SessionReader, chunks: Sequence[Chunk], budget: int) -> None:
        self._reader = reader
        self._chunks = chunks
        self._budget = budget
        self.length = min(budget, sum(len(chunk.kept) for chunk in chunks))
        """Keys behind the opening, the same in every layer."""
        self.mass: dict[int, float] = {}
        """By number of the event: its attention mass, as the mean over the layers that chose; empty where all fit."""
        self.read: dict[int, Event] = {}
        """By number: the events that any layer read."""
        self.cache: Any = reader.begin().cache
        self._make_room()

    @property
    def start(self) -> int:
        """The position of the question's first token."""
        return len(self._reader.opening) + self.length

    @contextmanager
    def choosing(self) -> Iterator[None]:
        """Within this context the question is read: each group of layers gets its events just before it attends."""
        chunks, reader = self._chunks, self._reader
        count = len(reader.layers)
        if self.length == sum(len(chunk.kept) for chunk in chunks):
            self._fill(everything(chunks), slice(0, count))
            yield
            return
        starts = sorted({count * group // GROUPS for group in range(GROUPS)})
        stops = dict(zip(starts, [*starts[1:], count], strict=True))

        def seen(layer: int, queries: Tensor) -> None:
            mass = masses(reader, chunks, layer, queries)
            for number, each in enumerate(mass):
                self.mass[number] = self.mass.get(number, 0.0) + each / len(starts)
            self._fill(choose(chunks, mass, self._budget), slice(layer, stops[layer]))

        with reader.queries(seen, starts):
            yield

    def _make_room(self) -> None:
        for at in self._reader.layers:
            layer = self.cache.layers[at]
            layer.keys, layer.values = (_with_room(each, self.length) for each in (layer.keys, layer.values))
        # A convolution goes on from the last tokens before the question, which are the end of the last chunk.
        for at, state in zip(self._reader.convolutions, self._chunks[-1].convolutions, strict=True):
            self.cache.layers[at].conv_states[0].copy_(state)

    def _fill(self, chosen: Chosen, layers: slice) -> None:
        reader = self._reader
        begin = len(reader.opening)
        parts = [self._chunks[number].kept.read(layers, keys) for number, keys in chosen.tokens]
        positions = torch.arange(begin, begin + self.length, device=reader.device)
        placed = reader.rotation.placed(torch.cat([keys for keys, _ in parts], dim=2), positions)
        values = torch.cat([values for _, values in parts], dim=2)
        for number, at in enumerate(reader.layers[layers]):
            layer = self.cache.layers[at]
            layer.keys[0, :, begin : begin + self.length] = placed[number]
            layer.values[0, :, begin : begin + self.length] = values[number]
        numbers = {id(event): number for number, event in enumerate(_events(self._chunks))}
        self.read |= {numbers[id(event)]: event for event in chosen.events}


def _events(chunks: Sequence[Chunk]) -> list[Event]:
    return [event for chunk in chunks for event in chunk.events]


def _with_room(read: Tensor, room: int) -> Tensor:
    rows, heads, length, size = read.shape
    cache = read.new_zeros(rows, heads, length + room, size)
    cache[:, :, :length] = read
    return cache
