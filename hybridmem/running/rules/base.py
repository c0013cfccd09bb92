"""What every rule promises, and how its tokens are cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput

State = TypeVar("State", bound=tuple[object, ...])
Gates = Mapping[str, Tensor]
"""Of single tokens, [B, H, T], by the name of the setting that they replace."""


class Rule(Protocol[State]):
    """A memory whose state is a NamedTuple of tensors, in float32 unless asked otherwise; counts are int64.

    Pure: `write` returns a new state and changes nothing that it was given. No rule calls autograd or looks at
    ``training``, so it does the same under ``eval()`` and ``inference_mode()``. One write of a text equals several of
    its parts, and `chunk`, how many tokens are computed at once, changes nothing but rounding. The unit keys that
    rates are meant for are the caller's to make. `files.mapped` moves a state to another device.
    """

    def init(self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = ...) -> State:
        """An empty memory of keys [d] and values [m]; `seed` is for those that begin with random weights."""

    def write(self, state: State, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64) -> State:
        """The memory after keys [B, H, T, d] and values [B, H, T, m], in their order."""

    def read(self, state: State, q: Tensor) -> Tensor:
        """What the memory holds for queries [B, H, T, d]: [B, H, T, m]. Reading writes nothing."""


class Piece(NamedTuple):
    """Tokens that are computed at once, in the state's dtype."""

    k: Tensor
    v: Tensor
    gates: dict[str, Tensor]

    @property
    def length(self) -> int:
        return self.k.shape[-2]


def pieces(
    like: Tensor,
    k: Tensor,
    v: Tensor,
    gates: Gates | None,
    settings: Mapping[str, float],
    *,
    chunk: int,
    start: int = 0,
    every: int | None = None,
) -> Iterator[Piece]:
    """The tokens in pieces of `chunk` at most, with a gate for every name of `settings`, in the dtype of `like`.

    With `every`, no piece crosses a multiple of it; `start` tokens were written before. Raises `InvalidInput` for
    shapes that do not fit and for gates that the rule does not have."""
    if chunk < 1:
        raise InvalidInput(f"a chunk has a token at least: {chunk}")
    if k.dim() != 4 or k.shape[:-1] != v.shape[:-1]:
        raise InvalidInput(f"keys are [B, H, T, d] and values [B, H, T, m]: {list(k.shape)} and {list(v.shape)}")
    given = dict(gates or {})
    if unknown := given.keys() - settings.keys():
        raise InvalidInput(f"no such gate: {', '.join(sorted(unknown))}; choose of {', '.join(settings)}")
    for name, gate in given.items():
        if gate.shape != k.shape[:-1]:
            raise InvalidInput(f"the gate {name} is [B, H, T], {list(k.shape[:-1])}: {list(gate.shape)}")
    k, v = k.to(like.dtype), v.to(like.dtype)
    full = {
        name: given[name].to(like.dtype) if name in given else k.new_full(k.shape[:-1], value)
        for name, value in settings.items()
    }
    at, length = 0, k.shape[-2]
    while at < length:
        end = min(at + chunk, length)
        if every is not None:
            end = min(end, at + every - (start + at) % every)
        yield Piece(k[..., at:end, :], v[..., at:end, :], {name: gate[..., at:end] for name, gate in full.items()})
        at = end


def after(factors: Tensor) -> Tensor:
    """For each token the product of the factors [..., T] that follow it."""
    later = torch.cat([factors[..., 1:], torch.ones_like(factors[..., :1])], dim=-1)
    return later.flip(-1).cumprod(-1).flip(-1)


def proportion(name: str, value: float) -> None:
    """Raises `InvalidInput` for a setting that is not in [0, 1]."""
    if not 0 <= value <= 1:
        raise InvalidInput(f"{name} lies between 0 and 1: {value}")


def positive(name: str, value: float) -> None:
    """Raises `InvalidInput` for a setting that is not above 0."""
    if not value > 0:
        raise InvalidInput(f"{name} is above 0: {value}")
