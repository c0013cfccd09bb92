"""A question behind a session, and the tokens of its answer."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from hybridmem.running.output_memory import OutputMemory
from hybridmem.running.prefix import SessionPrefix
from hybridmem.running.reader import SessionReader


class SessionSteps:
    """`decoding.Steps` of one question behind a prefix, with the votes of an output memory where there is one."""

    def __init__(self, reader: SessionReader, prefix: SessionPrefix, memory: OutputMemory | None = None) -> None:
        self._reader = reader
        self._prefix = prefix
        self._memory = memory

    def read(self, ids: Tensor, mask: Tensor | None, positions: Tensor, room: int) -> Tensor:
        return self._logits(ids, 0)

    def keep(self, rows: Tensor) -> None:
        """One question is asked at a time: there is nothing to leave out."""

    def step(self, tokens: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        return self._logits(tokens, int(positions[0, 0]))

    def _logits(self, ids: Tensor, at: int) -> Tensor:
        states: list[Tensor] = []
        watching: AbstractContextManager[None] = (
            nullcontext() if self._memory is None else self._reader.head_inputs(states)
        )
        with watching:
            logits = self._reader.forward(self._prefix.cache, ids, self._prefix.start + at, logits_to_keep=1)[:, -1]
        if self._memory is None:
            return logits
        return torch.stack([self._memory.mixed(logits[0], states[0][0, -1])])
