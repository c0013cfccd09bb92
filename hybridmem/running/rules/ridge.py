"""Ridge regression with forgetting, which recursive least squares computes step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hybridmem.running.rules.base import Gates, after, pieces, positive, proportion


class RidgeState(NamedTuple):
    covariance: Tensor
    """A [B, H, d, d], Σ λ^age k kᵀ."""
    association: Tensor
    """B [B, H, d, m], Σ λ^age k vᵀ."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """A ← λA + k kᵀ, B ← λB + k vᵀ, read qᵀ(A + μI)⁻¹B: the best linear memory of all that was written.

    Papers: von Oswald et al. 2025, MesaNet (arXiv:2506.05233); Das et al. 2024, Larimar (arXiv:2403.11901), whose
    Kalman step is the same with addresses for keys; Atlas's Omega rule as its window grows. The recursive form is the
    textbook's (Haykin, Adaptive Filter Theory, RLS); it equals this one at λ = 1 and lets μ fade below. State:
    4·d·(d + m) bytes a head. Good for: correlated keys, overwriting (with λ < 1), and deletion: `erased` is exact,
    which no rule whose state depends on the order of writing offers. Fails: a read costs d³/3 for the Cholesky factor,
    λ = 1 averages old and new values, and what is not linear in the keys (`random_features` mends that).
    """

    keep: float = 0.98
    """λ; a gate of the same name replaces it."""
    ridge: float = 1e-2
    """μ; the sum's rounding, where that is more."""

    def __post_init__(self) -> None:
        proportion("keep", self.keep)
        positive("ridge", self.ridge)

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> RidgeState:
        return RidgeState(torch.zeros(batch, heads, d, d, dtype=dtype), torch.zeros(batch, heads, d, m, dtype=dtype))

    def write(
        self, state: RidgeState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> RidgeState:
        covariance, association = state
        for piece in pieces(covariance, k, v, gates, {"keep": self.keep}, chunk=chunk):
            aged = (piece.k * after(piece.gates["keep"])[..., None]).mT
            kept = piece.gates["keep"].prod(-1)[..., None, None]
            covariance = kept * covariance + aged @ piece.k
            association = kept * association + aged @ piece.v
        return RidgeState(covariance, association)

    def read(self, state: RidgeState, q: Tensor) -> Tensor:
        return q.to(state.covariance.dtype) @ torch.cholesky_solve(state.association, self._factor(state))

    def erased(self, state: RidgeState, k: Tensor, v: Tensor, age: Tensor) -> RidgeState:
        """The state as if those tokens had never been written; `age` [T] is how many were written after each.

        Exact for a state that was written without gates: with them, what is left of a token is not λ^age."""
        k, v = k.to(state.covariance.dtype), v.to(state.covariance.dtype)
        aged = (k * torch.pow(self.keep, age.to(k.dtype))[..., None]).mT
        return RidgeState(state.covariance - aged @ k, state.association - aged @ v)

    def _factor(self, state: RidgeState) -> Tensor:
        covariance = state.covariance
        diagonal = covariance.diagonal(dim1=-2, dim2=-1)
        # After thousands of keys that share a direction, a small ridge drowns in the sum's own rounding.
        least = torch.finfo(covariance.dtype).eps * diagonal.sum(-1, keepdim=True)
        factor: Tensor = torch.linalg.cholesky(
            covariance + torch.diag_embed(least.clamp_min(self.ridge).expand_as(diagonal))
        )
        return factor
