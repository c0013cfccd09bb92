"""Fixed random features before another rule: the plain control for memories that are not linear."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu, normalize

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, Rule
from hybridmem.running.rules.ridge import Ridge


class RandomFeaturesState(NamedTuple):
    projection: Tensor
    """[H, d, width], drawn once."""
    shift: Tensor
    """[H, 1, width]."""
    inner: Any
    """The state of the rule behind the features."""


@dataclass(frozen=True, slots=True)
class RandomFeatures:
    """Another rule on φ(x) = gelu(x·R + b), scaled to unit length, with R and b drawn once.

    Papers: Rahimi and Recht 2007 (random features); Huang et al. 2006 (extreme learning machines). State: the inner
    rule's for `width` features and 4·width·(d + 1) bytes a head; with ridge, 4·width·(width + m) more. Good for:
    conjunctions of features in one pass, in closed form, with ridge's exact deletion: use it before `ttt_mlp`, which
    needs many passes. Fails: features are not learned, so keys of many dimensions need a width to match; with ridge a
    read costs width³/3.
    """

    width: int = 128
    linear: bool = False
    """Leave out the gelu: the switch that shows what it is for."""
    rule: Rule[Any] = field(default_factory=lambda: Ridge(keep=1.0, ridge=1e-4))

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InvalidInput(f"there is a feature at least: {self.width}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> RandomFeaturesState:
        drawn = torch.Generator().manual_seed(seed)
        # Unit keys then give each feature a deviation of 1, where gelu bends.
        projection = torch.randn(heads, d, self.width, generator=drawn).to(dtype)
        shift = torch.randn(heads, 1, self.width, generator=drawn).to(dtype)
        inner = self.rule.init(batch, heads, self.width, m, seed=seed, dtype=dtype)
        return RandomFeaturesState(projection, shift, inner)

    def write(
        self, state: RandomFeaturesState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> RandomFeaturesState:
        inner = self.rule.write(state.inner, self.features(state, k), v, gates, chunk=chunk)
        return state._replace(inner=inner)

    def read(self, state: RandomFeaturesState, q: Tensor) -> Tensor:
        return self.rule.read(state.inner, self.features(state, q))

    def features(self, state: RandomFeaturesState, x: Tensor) -> Tensor:
        """φ of keys or queries [B, H, T, d]: [B, H, T, width]."""
        projected = x.to(state.projection.dtype) @ state.projection
        if self.linear:
            return projected / math.sqrt(self.width)
        return normalize(gelu(projected + state.shift), dim=-1)
