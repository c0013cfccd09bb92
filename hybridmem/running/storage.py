"""Keys and values of a chunk, a byte a number.

Some channels of a key are many times the others, in every token alike; of values it is some tokens. So a key has a
scale for each channel, and a value one for each token (KIVI, Liu et al. 2024, arXiv:2402.02750).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_LEVELS = 127
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Bare keys and values, each (layers, heads, n, size): int8 with scales, or float32 without."""

    keys: Tensor
    values: Tensor
    key_scale: Tensor | None = None
    """float32 (layers, heads, 1, size)"""
    value_scale: Tensor | None = None
    """float32 (layers, heads, n, 1)"""

    @classmethod
    def of(cls, keys: Tensor, values: Tensor, *, int8: bool) -> KeyValues:
        """What is kept of `keys` and `values`, float32 (layers, heads, n, size)."""
        if not int8:
            return cls(keys.clone(), values.clone())
        rounded_keys, key_scale = _rounded(keys, -2)
        rounded_values, value_scale = _rounded(values, -1)
        return cls(rounded_keys, rounded_values, key_scale, value_scale)

    def __len__(self) -> int:
        return self.keys.shape[2]

    @property
    def int8(self) -> bool:
        return self.key_scale is not None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """By name, those that there are."""
        named = {name: getattr(self, name) for name in ("keys", "values", "key_scale", "value_scale")}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def read(self, layers: slice, tokens: Tensor | slice = slice(None)) -> tuple[Tensor, Tensor]:
        """float32 (layers, heads, tokens, size): the keys and values of some of each."""
        return self.read_keys(layers, tokens), _scaled(self.values, self.value_scale, layers, tokens, by_token=True)

    def read_keys(self, layers: slice, tokens: Tensor | slice = slice(None)) -> Tensor:
        return _scaled(self.keys, self.key_scale, layers, tokens, by_token=False)

    def only(self, tokens: Tensor) -> KeyValues:
        """Those of `tokens` alone, in bytes of their own."""
        scale = self.value_scale
        return KeyValues(
            _of(self.keys, tokens),
            _of(self.values, tokens),
            self.key_scale,
            None if scale is None else _of(scale, tokens),
        )


def bytes_of(tokens: int, layers: int, heads: int, size: int, *, int8: bool) -> int:
    """What the keys and values of a chunk of so many tokens take."""
    numbers = 2 * tokens * layers * heads * size
    return numbers + 4 * layers * heads * (tokens + size) if int8 else 4 * numbers


def _rounded(exact: Tensor, dimension: int) -> tuple[Tensor, Tensor]:
    scale = exact.abs().amax(dim=dimension, keepdim=True).clamp(min=_TINY) / _LEVELS
    return (exact / scale).round_().clamp_(-_LEVELS, _LEVELS).to(torch.int8), scale


def _scaled(kept: Tensor, scale: Tensor | None, layers: slice, tokens: Tensor | slice, *, by_token: bool) -> Tensor:
    found = _of(kept[layers], tokens).float()
    if scale is None:
        return found
    return found.mul_(_of(scale[layers], tokens) if by_token else scale[layers])


def _of(kept: Tensor, tokens: Tensor | slice) -> Tensor:
    return kept[:, :, tokens] if isinstance(tokens, slice) else kept.index_select(2, tokens)
