"""Hebbian memory: linear attention, with a decay if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.running.rules.base import Gates, after, pieces, proportion


class HebbianState(NamedTuple):
    memory: Tensor
    """[B, H, d, m]."""


@dataclass(frozen=True, slots=True)
class Hebbian:
    """S ← (1−α) S + k vᵀ, read qᵀS.

    Paper: Katharopoulos et al. 2020 (arXiv:2006.16236), eqs. 18 and 19, without the normaliser; with α it is RetNet's
    and Mamba-2's retention. State: S [d, m] a head, 4·d·m bytes. Good for: plain recall of keys that hardly overlap,
    where it beats the delta rule, and sums. Fails: overwriting (old and new value are added), overlapping keys (every
    read is mixed with all neighbours). A decay buys recency with everything older.
    """

    decay: float = 0.0
    """α, the proportion forgotten at each token; a gate of the same name replaces it."""

    def __post_init__(self) -> None:
        proportion("decay", self.decay)

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> HebbianState:
        return HebbianState(torch.zeros(batch, heads, d, m, dtype=dtype))

    def write(
        self, state: HebbianState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> HebbianState:
        memory = state.memory
        for piece in pieces(memory, k, v, gates, {"decay": self.decay}, chunk=chunk):
            keep = 1 - piece.gates["decay"]
            aged = piece.k * after(keep)[..., None]
            memory = keep.prod(-1)[..., None, None] * memory + aged.mT @ piece.v
        return HebbianState(memory)

    def read(self, state: HebbianState, q: Tensor) -> Tensor:
        return q.to(state.memory.dtype) @ state.memory
