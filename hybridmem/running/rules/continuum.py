"""A continuum of two rates: a memory that follows every token, one that moves seldom, and a gate between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, pieces, positive, proportion
from hybridmem.running.rules.delta import corrected

Aggregate = Literal["gate", "sum", "fast", "slow"]
AGGREGATES: tuple[Aggregate, ...] = ("gate", "sum", "fast", "slow")


class ContinuumState(NamedTuple):
    fast: Tensor
    """[B, H, d, m]."""
    slow: Tensor
    """[B, H, d, m], as of the last multiple of `period`."""
    pending: Tensor
    """[B, H, d, m], the slow memory's steps since."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class Continuum:
    """A gated delta memory beside one that takes the summed gradient of `period` tokens in one step.

    Paper: Behrouz et al. 2025, Nested Learning (arXiv:2512.24695), eq. 71 for the update of a level; two independent
    levels on the same tokens, joined at the read (their chain of layers, eq. 70, is a model's business). State: three
    matrices [d, m] a head, 12·d·m bytes. Good for: facts that recur among many that come once, both to be read.
    Fails: with the two reads summed, which is worse than either where they disagree; what recurs less than about once
    in 1/(slow rate) periods; a slow step grows with what one key gathers in a period, so keep slow_rate · repeats < 2.
    Erasing is not exact: rebuild.
    """

    fast_rate: float = 1.0
    """A gate of the same name replaces it."""
    fast_decay: float = 0.05
    """The proportion of the fast memory that each token takes away, so that the gate sees what is fresh. A gate of the
    same name replaces it."""
    slow_rate: float = 0.05
    """A gate of the same name replaces it."""
    period: int = 64
    """Tokens between two steps of the slow memory."""
    aggregate: Aggregate = "gate"
    """gate: the fast read where it is long enough, else the slow one; sum, fast and slow show what the gate is for."""
    threshold: float = 0.6
    """Length of the fast read above which the gate trusts it; for values of length 1."""

    def __post_init__(self) -> None:
        proportion("fast_decay", self.fast_decay)
        proportion("fast_rate", self.fast_rate)
        positive("slow_rate", self.slow_rate)
        if self.period < 1:
            raise InvalidInput(f"a period has a token at least: {self.period}")
        if self.aggregate not in AGGREGATES:
            raise InvalidInput(f"no such aggregate: {self.aggregate}; choose of {', '.join(AGGREGATES)}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> ContinuumState:
        empty = torch.zeros(batch, heads, d, m, dtype=dtype)
        return ContinuumState(empty, empty, empty, torch.zeros((), dtype=torch.int64))

    def write(
        self, state: ContinuumState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> ContinuumState:
        fast, slow, pending, _ = state
        written = int(state.written)
        settings = {"fast_rate": self.fast_rate, "fast_decay": self.fast_decay, "slow_rate": self.slow_rate}
        for piece in pieces(fast, k, v, gates, settings, chunk=chunk, start=written, every=self.period):
            of_fast = {"rate": piece.gates["fast_rate"], "decay": piece.gates["fast_decay"]}
            fast = corrected(fast, piece._replace(gates=of_fast))
            wrong = piece.gates["slow_rate"][..., None] * (piece.v - piece.k @ slow)
            pending = pending + piece.k.mT @ wrong
            written += piece.length
            if written % self.period == 0:
                slow, pending = slow + pending, torch.zeros_like(pending)
        return ContinuumState(fast, slow, pending, torch.full_like(state.written, written))

    def read(self, state: ContinuumState, q: Tensor) -> Tensor:
        q = q.to(state.fast.dtype)
        fast, slow = q @ state.fast, q @ state.slow
        match self.aggregate:
            case "fast":
                return fast
            case "slow":
                return slow
            case "sum":
                return fast + slow
            case "gate":
                return torch.where(fast.norm(dim=-1, keepdim=True) > self.threshold, fast, slow)
