"""BDH's memory: Hebbian synapses between sparse neurons that fire for a key."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, pieces

BASE = 2.0**16
"""Of the rotary frequencies, as in the paper's code."""


class BDHState(NamedTuple):
    synapses: Tensor
    """σ [B, H, n, m]."""
    encoder: Tensor
    """[H, d, n]."""
    written: Tensor
    """Tokens so far, which is the position of the next one: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class BDH:
    """σ ← σ + RoPE(x) vᵀ with x = fire(k·E) ≥ 0 in n ≫ d dimensions, read RoPE(fire(q·E))ᵀ σ.

    Paper: Kosowski et al. 2025, Dragon Hatchling (arXiv:2509.26507), and its code's `Attention`: queries are keys,
    there is no softmax and no decay, and a token reads what earlier ones wrote, so read before you write. The gating
    of the output belongs to the layer and is not here. State: 4·n·(m + d) bytes a head, 8 MB in the code's default.
    Good for: keys that overlap, if few neurons fire. Fails: with plain ReLU, untrained: half of all neurons fire for
    every key, and overlap rises above that of the keys themselves; overwriting (it is Hebbian); size.
    """

    neurons: int = 1024
    """n of a head."""
    keep: float = 0.01
    """Proportion of the neurons that fire for a key: those with the largest input. 1 leaves the ReLU alone."""
    activation: Literal["relu", "linear"] = "relu"
    """linear: everything fires, by its input; the switch that shows what the threshold is for."""
    rotary: bool = False
    """Whether positions turn the neurons in pairs. Recall at any later position wants it off."""

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise InvalidInput(f"keep is above 0, and 1 at most: {self.keep}")
        if self.neurons < 2 or self.neurons % 2:
            raise InvalidInput(f"neurons come in pairs: {self.neurons}")
        if self.activation not in ("relu", "linear"):
            raise InvalidInput(f"the activation is relu or linear: {self.activation}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> BDHState:
        encoder = torch.randn(heads, d, self.neurons, generator=torch.Generator().manual_seed(seed))
        synapses = torch.zeros(batch, heads, self.neurons, m, dtype=dtype)
        return BDHState(synapses, (encoder / math.sqrt(d)).to(dtype), torch.zeros((), dtype=torch.int64))

    def write(self, state: BDHState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64) -> BDHState:
        synapses, written = state.synapses, int(state.written)
        for piece in pieces(synapses, k, v, gates, {}, chunk=chunk):
            fired = self._turned(self.fire(state, piece.k), torch.arange(written, written + piece.length))
            synapses = synapses + fired.mT @ piece.v
            written += piece.length
        return state._replace(synapses=synapses, written=torch.full_like(state.written, written))

    def read(self, state: BDHState, q: Tensor) -> Tensor:
        """Every query at the next token's position."""
        fired = self.fire(state, q.to(state.synapses.dtype))
        return self._turned(fired, torch.full((q.shape[-2],), int(state.written))) @ state.synapses

    def fire(self, state: BDHState, x: Tensor) -> Tensor:
        """The neurons of keys [B, H, T, d], before positions turn them: [B, H, T, n]."""
        given = x @ state.encoder
        if self.activation == "linear":
            return given
        if self.keep < 1:
            count = max(1, round(self.keep * self.neurons))
            given = given.masked_fill(given < given.topk(count, dim=-1).values[..., -1:], 0)
        return given.relu()

    def _turned(self, fired: Tensor, positions: Tensor) -> Tensor:
        if not self.rotary:
            return fired
        # Phases in turns, in double precision: at position 10,000 a float32 has lost the digits after the comma.
        pair = torch.arange(0, self.neurons, 2, dtype=torch.float64)
        turns = (positions[:, None] * BASE ** (-pair / self.neurons) / (2 * math.pi)) % 1
        angle = (turns * 2 * math.pi).to(fired.device)
        cos, sin = angle.cos().to(fired.dtype), angle.sin().to(fired.dtype)
        even, odd = fired[..., ::2], fired[..., 1::2]
        return torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)
