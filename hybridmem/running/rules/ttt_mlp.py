"""TTT-MLP: a layer with a hidden one, trained while it reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, pieces, positive
from hybridmem.running.rules.normed_loss import normed, normed_gradient
from hybridmem.running.rules.ttt_linear import DEVIATION


class Layers(NamedTuple):
    first: Tensor
    """W₁ [B, H, d, hidden]."""
    first_bias: Tensor
    """[B, H, 1, hidden]."""
    second: Tensor
    """W₂ [B, H, hidden, m]."""
    second_bias: Tensor
    """[B, H, 1, m]."""


class TTTMLPState(NamedTuple):
    layers: Layers
    """At the start of the mini-batch."""
    sums: Layers
    """Σ η_j ∇ of the mini-batch so far."""
    gain: Tensor
    """γ [B, H, 1, m] of the LayerNorm, which training outside may set."""
    shift: Tensor
    """[B, H, 1, m], of the LayerNorm."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class TTTMLP:
    """`ttt_linear.TTTLinear` with f(x) = gelu(xW₁ + b₁) W₂ + b₂ in place of xW + b.

    Paper: Sun et al. 2024 (arXiv:2407.04620), section 2.7 (TTT-MLP); its code's hidden layer is four times as wide.
    State: 4·(2·(d·h + h + h·m + m) + 2·m) bytes a head for h hidden units. Good for: values that belong to
    conjunctions of features, which no linear memory separates. Fails: in one pass untrained; it takes many over the
    same tokens, and `random_features.RandomFeatures` stores them in one, in closed form. Erasing is not exact: rebuild.
    """

    rate: float = 1.0
    """η; a gate of the same name replaces it."""
    batch: int = 16
    expansion: int = 4
    """Hidden units for each dimension of the keys."""
    deviation: float = DEVIATION
    """Of the first weights, before either layer has learned."""

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        positive("deviation", self.deviation)
        if self.batch < 1 or self.expansion < 1:
            raise InvalidInput(f"a mini-batch and a hidden layer are not empty: {self.batch} and {self.expansion}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> TTTMLPState:
        if d != m:
            raise InvalidInput(f"with its residual, keys and values have one size: {d} and {m}")
        drawn, hidden = torch.Generator().manual_seed(seed), self.expansion * d
        layers = Layers(
            self.deviation * torch.randn(batch, heads, d, hidden, generator=drawn).to(dtype),
            torch.zeros(batch, heads, 1, hidden, dtype=dtype),
            self.deviation * torch.randn(batch, heads, hidden, m, generator=drawn).to(dtype),
            torch.zeros(batch, heads, 1, m, dtype=dtype),
        )
        ones = torch.ones_like(layers.second_bias)
        count = torch.zeros((), dtype=torch.int64)
        return TTTMLPState(layers, _nothing(layers), ones, torch.zeros_like(ones), count)

    def write(
        self, state: TTTMLPState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> TTTMLPState:
        written, layers, sums = int(state.written), state.layers, state.sums
        settings = {"rate": self.rate}
        for piece in pieces(layers.first, k, v, gates, settings, chunk=chunk, start=written, every=self.batch):
            before, hidden, z = _forward(layers, piece.k)
            slope = normed_gradient(z, piece.v - piece.k, state.gain, state.shift)
            slope = piece.gates["rate"][..., None] * slope
            inner = (slope @ layers.second.mT) * gelu_slope(before)
            sums = _combined(
                sums,
                Layers(piece.k.mT @ inner, inner.sum(-2, keepdim=True), hidden.mT @ slope, slope.sum(-2, keepdim=True)),
                1,
            )
            written += piece.length
            if written % self.batch == 0:
                layers, sums = _combined(layers, sums, -1 / self.batch), _nothing(sums)
        return state._replace(layers=layers, sums=sums, written=torch.full_like(state.written, written))

    def read(self, state: TTTMLPState, q: Tensor) -> Tensor:
        q = q.to(state.gain.dtype)
        pending = int(state.written) % self.batch
        layers = _combined(state.layers, state.sums, -1 / pending) if pending else state.layers
        return q + normed(_forward(layers, q)[2], state.gain, state.shift)


def gelu_slope(x: Tensor) -> Tensor:
    """The derivative of gelu in its tanh form."""
    scale, cubic = math.sqrt(2 / math.pi), 0.044715
    t = torch.tanh(scale * (x + cubic * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * scale * (1 + 3 * cubic * x**2)


def _forward(layers: Layers, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What goes into the hidden layer, what comes out of it, and out of the second."""
    before = x @ layers.first + layers.first_bias
    hidden = gelu(before, approximate="tanh")
    return before, hidden, hidden @ layers.second + layers.second_bias


def _combined(layers: Layers, others: Layers, factor: float) -> Layers:
    return Layers(*(one + factor * other for one, other in zip(layers, others, strict=True)))


def _nothing(layers: Layers) -> Layers:
    return Layers(*(torch.zeros_like(each) for each in layers))
