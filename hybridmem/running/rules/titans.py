"""Titans' neural memory with a matrix: surprise, its momentum, and a forget gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, after, pieces, positive, proportion


class TitansState(NamedTuple):
    memory: Tensor
    """M [B, H, d, m]."""
    momentum: Tensor
    """Z [B, H, d, m]."""
    anchor: Tensor
    """[B, H, d, m], the memory at the start of the mini-batch, at which gradients are taken."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class Titans:
    """Z ← ηZ − θ∇L(M′; k, v), then M ← (1−α) M + Z, read qᵀM; L = ½‖M′ᵀk − v‖², M′ of the mini-batch's start.

    Paper: Behrouz et al. 2024 (arXiv:2501.00663), eqs. 13 and 14, in mini-batches eqs. 16 to 18, reading eq. 15. Their
    loss has no ½: halve their θ. State: three matrices [d, m] a head, 12·d·m bytes. Good for: ill-conditioned keys that
    come more than once, where momentum reaches the directions that plain steps barely move. Fails: one pass over
    random keys (`delta` and `ridge` do more), a θ too large for keys that overlap (it diverges), mini-batches that
    hold the old and the new value of one key. Erasing is not exact: rebuild. Without momentum and at ``batch=1`` it is
    the delta rule; with α, the gated one at rate θ/(1−α) and values (1−α) v, since that one decays before it errs.
    """

    rate: float = 0.1
    """θ; a gate of the same name replaces it."""
    momentum: float = 0.8
    """η; a gate of the same name replaces it. 0 switches it off."""
    decay: float = 0.0
    """α; a gate of the same name replaces it."""
    batch: int = 1
    """Tokens whose gradients are taken at the same memory."""

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        proportion("momentum", self.momentum)
        proportion("decay", self.decay)
        if self.batch < 1:
            raise InvalidInput(f"a mini-batch has a token at least: {self.batch}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> TitansState:
        empty = torch.zeros(batch, heads, d, m, dtype=dtype)
        return TitansState(empty, empty, empty, torch.zeros((), dtype=torch.int64))

    def write(
        self, state: TitansState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> TitansState:
        memory, momentum, anchor, _ = state
        written = int(state.written)
        settings = {"rate": self.rate, "momentum": self.momentum, "decay": self.decay}
        for piece in pieces(memory, k, v, gates, settings, chunk=chunk, start=written, every=self.batch):
            if written % self.batch == 0:
                anchor = memory
            weights = step_weights(1 - piece.gates["decay"], piece.gates["momentum"])
            down = piece.gates["rate"][..., None] * (piece.v - piece.k @ anchor)
            memory, momentum = (
                _scaled(weights.kept, memory)
                + _scaled(weights.carried, momentum)
                + (piece.k * weights.memory[..., None]).mT @ down,
                _scaled(weights.faded, momentum) + (piece.k * weights.momentum[..., None]).mT @ down,
            )
            written += piece.length
        return TitansState(memory, momentum, anchor, torch.full_like(state.written, written))

    def read(self, state: TitansState, q: Tensor) -> Tensor:
        return q.to(state.memory.dtype) @ state.memory


class StepWeights(NamedTuple):
    """What is left at the end of a piece of what M ← aM + Z, Z ← ηZ + u_j began with: [B, H], or [B, H, C] for u."""

    kept: Tensor
    """Of the memory in the memory."""
    carried: Tensor
    """Of the momentum in the memory."""
    faded: Tensor
    """Of the momentum in the momentum."""
    memory: Tensor
    """Of each u in the memory."""
    momentum: Tensor
    """Of each u in the momentum."""


def step_weights(keep: Tensor, momentum: Tensor) -> StepWeights:
    """The closed form of both recurrences over a piece, from factors [B, H, C].

    Of Z_j, c_j = Π_{l>j} a_l + η_{j+1} c_{j+1} arrives in the memory: a scan from the end, exact for factors of 0."""
    alone = after(keep)
    arriving = [alone[..., -1]]
    for j in range(keep.shape[-1] - 2, -1, -1):
        arriving.append(alone[..., j] + momentum[..., j + 1] * arriving[-1])
    return StepWeights(
        kept=keep.prod(-1),
        carried=momentum[..., 0] * arriving[-1],
        faded=momentum.prod(-1),
        memory=torch.stack(arriving[::-1], dim=-1),
        momentum=after(momentum),
    )


def _scaled(factor: Tensor, matrix: Tensor) -> Tensor:
    return factor[..., None, None] * matrix
