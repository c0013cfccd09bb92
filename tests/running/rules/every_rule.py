"""Every rule in the forms that its switches give it, and tokens to write."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from hybridmem.running.rules.base import Rule
from hybridmem.running.rules.bdh import BDH
from hybridmem.running.rules.caching import Caching
from hybridmem.running.rules.continuum import Continuum
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.dgd import DeltaGradientDescent
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.omega import Omega
from hybridmem.running.rules.random_features import RandomFeatures
from hybridmem.running.rules.ridge import Ridge
from hybridmem.running.rules.titans import Titans
from hybridmem.running.rules.ttt_linear import TTTLinear
from hybridmem.running.rules.ttt_mlp import TTTMLP

RULES: dict[str, Rule[Any]] = {
    "hebbian": Hebbian(decay=0.05),
    "delta": Delta(rate=0.7),
    "gated delta": Delta(rate=0.7, decay=0.05),
    "dgd dot": DeltaGradientDescent(rate=0.4),
    "dgd l2": DeltaGradientDescent(rate=0.4, objective="l2"),
    "ridge": Ridge(keep=0.97),
    "titans": Titans(rate=0.3, momentum=0.7, decay=0.02),
    "titans in batches": Titans(rate=0.1, momentum=0.7, decay=0.02, batch=9),
    "omega": Omega(window=4, rate=0.1, momentum=0.5, decay=0.02),
    "omega in batches": Omega(window=4, rate=0.05, momentum=0.5, decay=0.02, batch=9),
    "omega degree 2": Omega(window=3, rate=0.1, degree=2),
    "omega orthogonal": Omega(window=3, rate=0.02, momentum=0.5, orthogonal=True),
    "ttt linear": TTTLinear(rate=0.02, batch=9),
    "ttt plain": TTTLinear(rate=0.5, batch=9, plain=True),
    "ttt mlp": TTTMLP(rate=0.05, batch=9, deviation=0.3),
    "random features": RandomFeatures(width=24, rule=Ridge(keep=0.97)),
    "bdh": BDH(neurons=64, keep=0.1),
    "bdh rotary": BDH(neurons=64, keep=0.5, rotary=True),
    "continuum": Continuum(period=11),
    "caching": Caching(segment=13),
    "caching top": Caching(rule=Titans(rate=0.1, momentum=0.5, batch=4), segment=13, choice="top", fresh=False),
    "caching soup": Caching(rule=Omega(window=3, rate=0.1), segment=13, choice="soup"),
}


def tokens(length: int, d: int = 6, m: int = 6, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Unit keys, values, and unit queries for two sequences of two heads."""
    drawn = torch.Generator().manual_seed(seed)
    k, v, q = (torch.randn(2, 2, length, size, generator=drawn, dtype=torch.float64) for size in (d, m, d))
    return [each.to(dtype) for each in (normalize(k, dim=-1), v, normalize(q, dim=-1))]


def gate(length: int, low: float, high: float, *, seed: int = 5) -> Tensor:
    """A number between the two for every token."""
    drawn = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(2, 2, length, generator=drawn, dtype=torch.float64)


def init(rule: Rule[Any], d: int = 6, m: int = 6, dtype: torch.dtype = torch.float64) -> Any:
    return rule.init(2, 2, d, m, seed=1, dtype=dtype)
