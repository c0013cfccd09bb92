"""Atlas's Omega rule: each step fits the last tokens together, not the last one alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, Piece, pieces, positive, proportion
from hybridmem.running.rules.titans import step_weights

NEWTON_SCHULZ = (3.4445, -4.775, 2.0315)
"""Coefficients of Muon's quintic step; five of them bring singular values to about 0.7 to 1.2."""


class OmegaState(NamedTuple):
    memory: Tensor
    """S [B, H, p, m], p = d or 1 + d + d(d+1)/2 features."""
    momentum: Tensor
    """Z [B, H, p, m]."""
    anchor: Tensor
    """[B, H, p, m], the memory at the start of the mini-batch."""
    keys: Tensor
    """[B, H, window−1, p], features of the last keys."""
    values: Tensor
    """[B, H, window−1, m]."""
    weights: Tensor
    """[B, H, window−1], γ of the last tokens; 0 where none has come yet."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class Omega:
    """Z ← βZ − η Σ_{i>t−c} γ_i ∇L(S′; φ(k_i), v_i), then S ← (1−α) S + Z, read φ(q)ᵀS; L = ½‖S′ᵀφ − v‖².

    Paper: Behrouz et al. 2025, Atlas (arXiv:2505.23735), eq. 9 (Omega), eq. 10 (with decay), eqs. 32 and 33 (momentum
    and Newton-Schulz). State: three matrices [p, m] and the last c−1 tokens, 4·(3·p·m + (c−1)(p + m + 1)) bytes a
    head. Good for: correlated keys in one pass, since every token is stepped on c times beside its neighbours; with
    ``degree=2`` for values that belong to pairs of features. Fails: η ≥ 2/λ_max(Σγφφᵀ) diverges (c unit keys that
    overlap much reach c), what has left the window is a delta memory's again. ``orthogonal`` replaces every step by
    one whose singular values are near 1: surprise no longer counts, so leave it off untrained. With ``window=1`` it is
    `titans.Titans` whose θ is γη. Erasing is not exact: rebuild.
    """

    window: int = 8
    """c; 1 steps on the last token alone."""
    rate: float = 0.2
    """η; a gate of the same name replaces it."""
    momentum: float = 0.0
    """β; a gate of the same name replaces it."""
    decay: float = 0.0
    """α; a gate of the same name replaces it."""
    weight: float = 1.0
    """γ of a token, for as long as it is in the window; a gate of the same name replaces it."""
    degree: int = 1
    """2: φ(x) = [1, x, all x_i x_j], weighted so that φ(x)·φ(y) = 1 + x·y + (x·y)²/2."""
    orthogonal: bool = False
    """Step by Newton-Schulz of the momentum: S ← (1−α) S + η NS(Z), η outside Z as in eq. 32."""
    batch: int = 1
    """Tokens whose gradients are taken at the same memory."""

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        proportion("momentum", self.momentum)
        proportion("decay", self.decay)
        if self.window < 1 or self.batch < 1:
            raise InvalidInput(f"a window and a mini-batch have a token at least: {self.window} and {self.batch}")
        if self.degree not in (1, 2):
            raise InvalidInput(f"the degree is 1 or 2: {self.degree}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> OmegaState:
        features = d if self.degree == 1 else 1 + d + d * (d + 1) // 2
        empty = torch.zeros(batch, heads, features, m, dtype=dtype)
        keys = torch.zeros(batch, heads, self.window - 1, features, dtype=dtype)
        values = torch.zeros(batch, heads, self.window - 1, m, dtype=dtype)
        count = torch.zeros((), dtype=torch.int64)
        return OmegaState(empty, empty, empty, keys, values, keys[..., 0], count)

    def write(
        self, state: OmegaState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> OmegaState:
        written = int(state.written)
        settings = {"rate": self.rate, "momentum": self.momentum, "decay": self.decay, "weight": self.weight}
        # Newton-Schulz is not linear in the momentum: what it does to a sum must be computed token by token.
        chunk = 1 if self.orthogonal else chunk
        like, features = state.memory, self._features(k.to(state.memory.dtype))
        for piece in pieces(like, features, v, gates, settings, chunk=chunk, start=written, every=self.batch):
            if written % self.batch == 0:
                state = state._replace(anchor=state.memory)
            state = self._stepped(state, piece)
            written += piece.length
        return state._replace(written=torch.full_like(state.written, written))

    def read(self, state: OmegaState, q: Tensor) -> Tensor:
        return self._features(q.to(state.memory.dtype)) @ state.memory

    def _stepped(self, state: OmegaState, piece: Piece) -> OmegaState:
        keys = torch.cat([state.keys, piece.k], dim=-2)
        values = torch.cat([state.values, piece.v], dim=-2)
        gamma = torch.cat([state.weights, piece.gates["weight"]], dim=-1)
        down = gamma[..., None] * (values - keys @ state.anchor)
        # Row j marks the tokens of j's window: its own place is j + window − 1, behind those of earlier pieces.
        ones = torch.ones(piece.length, keys.shape[-2], dtype=keys.dtype, device=keys.device)
        inside = ones.triu() - ones.triu(self.window)
        keep, momentum, rate = 1 - piece.gates["decay"], piece.gates["momentum"], piece.gates["rate"]
        weights = step_weights(keep, momentum)
        carried = weights.faded[..., None, None] * state.momentum
        kept = weights.kept[..., None, None] * state.memory
        if self.orthogonal:
            direction = carried + keys.mT @ down
            memory = kept + rate[..., None] * newton_schulz(direction)
        else:
            arrived = ((rate * weights.memory)[..., None, :] @ inside).mT
            direction = carried + (keys * ((rate * weights.momentum)[..., None, :] @ inside).mT).mT @ down
            memory = kept + weights.carried[..., None, None] * state.momentum + (keys * arrived).mT @ down
        first = keys.shape[-2] - (self.window - 1)
        return state._replace(
            memory=memory,
            momentum=direction,
            keys=keys[..., first:, :],
            values=values[..., first:, :],
            weights=gamma[..., first:],
        )

    def _features(self, x: Tensor) -> Tensor:
        if self.degree == 1:
            return x
        rows, columns = torch.triu_indices(x.shape[-1], x.shape[-1], device=x.device)
        # Off the diagonal each product stands for two, x_i x_j and x_j x_i: √2 · √½.
        scale = x.new_ones(rows.shape).masked_fill(rows == columns, math.sqrt(0.5))
        return torch.cat([torch.ones_like(x[..., :1]), x, scale * x[..., rows] * x[..., columns]], dim=-1)


def newton_schulz(matrix: Tensor, steps: int = 5) -> Tensor:
    """About the nearest matrix whose singular values are all 1 (Muon's iteration)."""
    a, b, c = NEWTON_SCHULZ
    flat = matrix.shape[-2] > matrix.shape[-1]
    x: Tensor = matrix.mT if flat else matrix
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if flat else x
