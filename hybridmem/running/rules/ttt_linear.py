"""TTT-Linear: a linear layer behind a LayerNorm, trained while it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, pieces, positive
from hybridmem.running.rules.normed_loss import normed, normed_gradient

DEVIATION = 0.02
"""Of the first weights."""


class TTTLinearState(NamedTuple):
    weight: Tensor
    """W [B, H, d, m] at the start of the mini-batch."""
    bias: Tensor
    """b [B, H, 1, m]."""
    weight_sum: Tensor
    """Like `weight`: Σ η_j ∇W of the mini-batch so far."""
    bias_sum: Tensor
    """Like `bias`."""
    gain: Tensor
    """γ [B, H, 1, m] of the LayerNorm, which training outside may set."""
    shift: Tensor
    """[B, H, 1, m], of the LayerNorm."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class TTTLinear:
    """W ← W − (1/i) Σ_{j≤i} η_j ∇L_j for token i of a mini-batch, read q + LN(qW + b); L = ½‖k + LN(kW + b) − v‖².

    Paper: Sun et al. 2024 (arXiv:2407.04620), sections 2.3 to 2.7 and its PyTorch code (`ttt.py`); all gradients of a
    mini-batch are taken at its first weights, and its tokens share a mean step. State: 4·(2·d·m + 4·m) bytes a head.
    Good for: the layer that its outer loop trains. ``plain`` is the paper's theorem 1, f(x) = xW: Hebbian with one
    mini-batch for all tokens, the delta rule with one for each. Fails: untrained. The first slopes are divided by the
    tiny deviation of the first weights' output, so the first tokens decide and overwriting fails; the LayerNorm keeps
    from a value its length and its mean, and the bias is a feature that all keys share. Rotary positions begin anew in
    each mini-batch: the caller's business. Erasing is not exact: rebuild.
    """

    rate: float = 1.0
    """η; the paper's is base · σ(w·x) / d. A gate of the same name replaces it."""
    batch: int = 16
    plain: bool = False
    """Leave out the residual, the LayerNorm and the bias: read qW, and learn v itself."""

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        if self.batch < 1:
            raise InvalidInput(f"a mini-batch has a token at least: {self.batch}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> TTTLinearState:
        if not self.plain and d != m:
            raise InvalidInput(f"with its residual, keys and values have one size: {d} and {m}")
        drawn = torch.randn(batch, heads, d, m, generator=torch.Generator().manual_seed(seed))
        weight, bias = (DEVIATION * drawn).to(dtype), torch.zeros(batch, heads, 1, m, dtype=dtype)
        count = torch.zeros((), dtype=torch.int64)
        return TTTLinearState(weight, bias, torch.zeros_like(weight), bias, torch.ones_like(bias), bias, count)

    def write(
        self, state: TTTLinearState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> TTTLinearState:
        written = int(state.written)
        settings = {"rate": self.rate}
        for piece in pieces(state.weight, k, v, gates, settings, chunk=chunk, start=written, every=self.batch):
            z = piece.k @ state.weight + state.bias
            slope = z - piece.v if self.plain else normed_gradient(z, piece.v - piece.k, state.gain, state.shift)
            slope = piece.gates["rate"][..., None] * slope
            state = state._replace(weight_sum=state.weight_sum + piece.k.mT @ slope)
            if not self.plain:
                state = state._replace(bias_sum=state.bias_sum + slope.sum(-2, keepdim=True))
            written += piece.length
            if written % self.batch == 0:
                state = self._settled(state, self.batch)
        return state._replace(written=torch.full_like(state.written, written))

    def read(self, state: TTTLinearState, q: Tensor) -> Tensor:
        q = q.to(state.weight.dtype)
        now = self._settled(state, int(state.written) % self.batch)
        z = q @ now.weight + now.bias
        return z if self.plain else q + normed(z, state.gain, state.shift)

    def _settled(self, state: TTTLinearState, tokens: int) -> TTTLinearState:
        """The state with its pending steps taken, after so many tokens of the mini-batch."""
        if tokens == 0:
            return state
        return state._replace(
            weight=state.weight - state.weight_sum / tokens,
            bias=state.bias - state.bias_sum / tokens,
            weight_sum=torch.zeros_like(state.weight_sum),
            bias_sum=torch.zeros_like(state.bias_sum),
        )
