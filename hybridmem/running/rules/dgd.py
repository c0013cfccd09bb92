"""Delta gradient descent, the optimiser of Nested Learning, on a matrix memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates
from hybridmem.running.rules.delta import Delta, DeltaState


@dataclass(frozen=True, slots=True)
class DeltaGradientDescent:
    """S ← (I − η k kᵀ) S − η ∇L(S; k, v), read qᵀS.

    Paper: Behrouz et al. 2025 (arXiv:2512.24695), eqs. 92 and 93 (DGD itself: appendix C). With the objective
    ``dot``, L = −⟨Sᵀk, v⟩, it is the delta rule and the fixed point of a repeated pair is v. The sign that eq. 92
    prints would unlearn v: the gradient is −k vᵀ, so the step adds. With ``l2``, L = ½‖Sᵀk − v‖², the decay counts
    twice and the fixed point is v/2. State: S [d, m] a head, 4·d·m bytes. Good for: what `delta.Delta` is good for.
    Fails: as it does, and with ``l2`` every value is read at half its size.
    """

    rate: float = 0.5
    """η; with ``l2`` it counts twice."""
    objective: Literal["dot", "l2"] = "dot"

    def __post_init__(self) -> None:
        if self.objective not in ("dot", "l2"):
            raise InvalidInput(f"the objective is dot or l2: {self.objective}")
        self._delta()

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> DeltaState:
        return self._delta().init(batch, heads, d, m, dtype=dtype)

    def write(
        self, state: DeltaState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> DeltaState:
        times = self._times()
        doubled = {name: gate * times if name == "rate" else gate for name, gate in (gates or {}).items()}
        return self._delta().write(state, k, v / times, doubled, chunk=chunk)

    def read(self, state: DeltaState, q: Tensor) -> Tensor:
        return self._delta().read(state, q)

    def _times(self) -> int:
        """How often the decay along the key counts: S − 2ηk kᵀS + ηk vᵀ is a delta step to v/2 at twice the rate."""
        return 2 if self.objective == "l2" else 1

    def _delta(self) -> Delta:
        return Delta(rate=self.rate * self._times())
