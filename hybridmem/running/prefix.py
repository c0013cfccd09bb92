"""The cache that a question is read behind: the opening, and the chosen events at the positions that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk
from hybridmem.running.reader import SessionReader
from hybridmem.running.selection import choose, everything, masses


class SessionPrefix:
    """What one question reads of `chunks`: at most `budget` of their keys. The question is `ids`, of which `words` are
    its own; it is not needed where everything fits."""

    def __init__(
        self,
        reader: SessionReader,
        chunks: Sequence[Chunk],
        budget: int,
        ids: Sequence[int] = (),
        words: slice = slice(None),
    ) -> None:
        self.mass: list[float] = []
        """By event: the largest part of its attention that a head gave it; empty where everything was read."""
        chosen = everything(chunks)
        if len(chosen) > budget:
            self.mass = masses(reader, chunks, ids, words)
            chosen = choose(chunks, self.mass, budget)
        self.length = len(chosen)
        """Keys behind the opening."""
        self.events = chosen.events
        """Numbers of the events that are read."""
        self.start = len(reader.opening) + self.length
        """The position of the question's first token."""
        parts = [chunks[number].kept.read(slice(None), keys) for number, keys in chosen.tokens]
        positions = torch.arange(len(reader.opening), self.start, device=reader.device)
        keys = reader.rotation.placed(torch.cat([keys for keys, _ in parts], dim=2), positions)
        values = torch.cat([values for _, values in parts], dim=2)
        self.cache: Any = reader.begin().cache
        for number, at in enumerate(reader.layers):
            layer = self.cache.layers[at]
            layer.keys = _behind(layer.keys, keys[number])
            layer.values = _behind(layer.values, values[number])
        # A convolution goes on from the last tokens before the question, which are the end of the last chunk.
        for at, state in zip(reader.convolutions, chunks[-1].convolutions, strict=True):
            self.cache.layers[at].conv_states[0].copy_(state)


def _behind(opening: Tensor, read: Tensor) -> Tensor:
    return torch.cat([opening, read[None].to(opening.dtype)], dim=2)
