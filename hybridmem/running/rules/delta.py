"""The delta rule and its gated form: write what the memory gets wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, Piece, pieces, proportion


class DeltaState(NamedTuple):
    memory: Tensor
    """[B, H, d, m]."""


@dataclass(frozen=True, slots=True)
class Delta:
    """S ← (1−α) S, then S ← S + β k (v − kᵀS), read qᵀS.

    Papers: Schlag et al. 2021 (arXiv:2102.11174); Yang et al. 2024 (arXiv:2406.06484, section 3) for the chunked form;
    Yang et al. 2024 (arXiv:2412.06464, eq. 10) for the gate. State: S [d, m] a head, 4·d·m bytes. Good for:
    overwriting; a key that is written again holds its last value. Fails: more random keys than about d/2, where
    Hebbian recalls more, and overlapping keys, where each write damages its neighbours; the gate buys little here.
    Erasing is not exact: the state depends on the order of writing, so rebuild it without what was deleted.
    """

    rate: float = 1.0
    """β; above 1 the old value is overshot, above 2 it diverges. A gate of the same name replaces it."""
    decay: float = 0.0
    """α, the proportion forgotten before each write; a gate of the same name replaces it."""

    def __post_init__(self) -> None:
        proportion("decay", self.decay)
        if not 0 <= self.rate <= 2:
            raise InvalidInput(f"rate lies between 0 and 2: {self.rate}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> DeltaState:
        return DeltaState(torch.zeros(batch, heads, d, m, dtype=dtype))

    def write(
        self, state: DeltaState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> DeltaState:
        memory = state.memory
        for piece in pieces(memory, k, v, gates, {"rate": self.rate, "decay": self.decay}, chunk=chunk):
            memory = corrected(memory, piece)
        return DeltaState(memory)

    def read(self, state: DeltaState, q: Tensor) -> Tensor:
        return q.to(state.memory.dtype) @ state.memory


def corrected(memory: Tensor, piece: Piece) -> Tensor:
    """The memory after a piece with the gates ``rate`` and ``decay``, by one triangular solve (the WY form).

    With G_i the logarithm of what is kept until token i, the corrections U solve
    (I + strictly lower(β_i exp(G_i − G_j) k_iᵀk_j)) U = β (V − exp(G) K S)."""
    k, v, rate = piece.k, piece.v, piece.gates["rate"][..., None]
    # A token that forgets everything has the logarithm of next to nothing: differences of infinities are no numbers.
    kept = (1 - piece.gates["decay"]).clamp_min(torch.finfo(k.dtype).tiny).log().cumsum(-1)
    between = kept[..., :, None] - kept[..., None, :]
    earlier = torch.ones(piece.length, piece.length, dtype=torch.bool, device=k.device).tril(-1)
    overlap = rate * (k @ k.mT) * between.masked_fill(~earlier, -torch.inf).exp()
    wrong = rate * (v - kept.exp()[..., None] * (k @ memory))
    corrections = torch.linalg.solve_triangular(overlap, wrong, upper=False, unitriangular=True)
    aged = k * (kept[..., -1:] - kept).exp()[..., None]
    after: Tensor = kept[..., -1].exp()[..., None, None] * memory + aged.mT @ corrections
    return after
