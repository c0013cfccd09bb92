"""Memory caching: the states at the ends of segments are kept, and a query chooses among them."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Gates, Rule, pieces, positive
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.files import mapped

Choice = Literal["gated", "top", "residual", "soup", "online"]
CHOICES: tuple[Choice, ...] = ("gated", "top", "residual", "soup", "online")


class CachingState(NamedTuple):
    empty: Any
    """The inner rule's state before anything was written."""
    online: Any
    """Its state of the segment that is being written."""
    segments: Any
    """The inner states at the ends of the N earlier segments, each tensor with N before its own dimensions."""
    means: Tensor
    """[B, H, N, d], the mean key of each of them."""
    key_sum: Tensor
    """[B, H, d], of the keys of the segment that is being written."""
    written: Tensor
    """Tokens so far: int64, no dimensions."""


@dataclass(frozen=True, slots=True)
class Caching:
    """Another rule in segments: y = Σ_i γ_i M_i(q) over the cached states and the online one.

    Paper: Behrouz et al. 2026 (arXiv:2602.24281), by its names, for there was no code to compare with: gated residual
    memory (``gated``), sparse selective caching (``top``), memory soup (``soup``: the same weights on the parameters,
    equal to gated for a linear memory) and the plain residual (γ = 1, which a linear memory collapses into one
    matrix). γ = softmax of q · mean key of the segment, their ⟨xW, mean⟩ without the trained W. State: the inner
    rule's once more for each segment, so it grows, by 4·d·m bytes a head and segment for a matrix. Good for: long
    sessions whose parts differ in what their keys have in common. Fails: keys that tell nothing about their segment,
    for the gate goes wrong with them; segments longer than the inner rule can hold. Deleting is exact for whole
    segments: leave them out.
    """

    rule: Rule[Any] = field(default_factory=Delta)
    segment: int = 64
    """Tokens of a segment."""
    choice: Choice = "gated"
    """online reads the last segment alone: the switch that shows what the cache is for."""
    top: int = 1
    """With ``top``: how many cached states a query reads, beside the online one."""
    sharpness: float = 16.0
    """What the products of query and mean keys are multiplied by before the softmax."""
    fresh: bool = True
    """Whether every segment begins with an empty memory; else it goes on with the last one's."""

    def __post_init__(self) -> None:
        positive("sharpness", self.sharpness)
        if self.segment < 1 or self.top < 1:
            raise InvalidInput(f"a segment and a choice are not empty: {self.segment} and {self.top}")
        if self.choice not in CHOICES:
            raise InvalidInput(f"no such choice: {self.choice}; choose of {', '.join(CHOICES)}")

    def init(
        self, batch: int, heads: int, d: int, m: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> CachingState:
        empty = self.rule.init(batch, heads, d, m, seed=seed, dtype=dtype)
        return CachingState(
            empty,
            empty,
            mapped(empty, lambda each: each[None][:0]),
            torch.zeros(batch, heads, 0, d, dtype=dtype),
            torch.zeros(batch, heads, d, dtype=dtype),
            torch.zeros((), dtype=torch.int64),
        )

    def write(
        self, state: CachingState, k: Tensor, v: Tensor, gates: Gates | None = None, *, chunk: int = 64
    ) -> CachingState:
        written = int(state.written)
        given = dict.fromkeys(gates or {}, 0.0)  # the inner rule knows what they are for
        for piece in pieces(state.key_sum, k, v, gates, given, chunk=chunk, start=written, every=self.segment):
            state = state._replace(
                online=self.rule.write(state.online, piece.k, piece.v, piece.gates, chunk=chunk),
                key_sum=state.key_sum + piece.k.sum(-2),
            )
            written += piece.length
            if written % self.segment == 0:
                state = self._cached(state)
        return state._replace(written=torch.full_like(state.written, written))

    def read(self, state: CachingState, q: Tensor) -> Tensor:
        q = q.to(state.key_sum.dtype)
        if self.choice == "online":
            return self.rule.read(state.online, q)
        weights = self.weights(state, q)
        if self.choice == "soup":
            return self._of_soup(_with(state.segments, state.online), weights, q)
        read = weights[..., -1:] * self.rule.read(state.online, q)
        for i in range(weights.shape[-1] - 1):
            share = weights[..., i : i + 1]
            if share.any():  # with the top few, most segments are nobody's choice
                read = read + share * self.rule.read(mapped(state.segments, operator.itemgetter(i)), q)
        return read

    def weights(self, state: CachingState, q: Tensor) -> Tensor:
        """γ [B, H, T, N+1] of the cached states and, last, of the online one."""
        pending = int(state.written) % self.segment
        means = torch.cat([state.means, state.key_sum[..., None, :] / max(pending, 1)], dim=-2)
        scores = self.sharpness * q @ means.mT
        if self.choice == "residual":
            return torch.ones_like(scores)
        cached = scores[..., :-1]
        if self.choice == "top" and cached.shape[-1] > self.top:
            least = cached.topk(self.top, dim=-1).values[..., -1:]
            scores = torch.cat([cached.masked_fill(cached < least, -torch.inf), scores[..., -1:]], dim=-1)
        if not pending and cached.shape[-1]:  # a segment without tokens has no mean key
            scores = torch.cat([scores[..., :-1], torch.full_like(scores[..., -1:], -torch.inf)], dim=-1)
        return scores.softmax(-1)

    def _cached(self, state: CachingState) -> CachingState:
        """The state at the end of a segment: the next one begins."""
        mean = state.key_sum[..., None, :] / self.segment
        return state._replace(
            online=state.empty if self.fresh else state.online,
            segments=_with(state.segments, state.online),
            means=torch.cat([state.means, mean], dim=-2),
            key_sum=torch.zeros_like(state.key_sum),
        )

    def _of_soup(self, every: Any, weights: Tensor, q: Tensor) -> Tensor:
        """Every query reads a memory of its own, whose parameters are the weighted mean of all."""
        reads = []
        for t in range(q.shape[-2]):
            share = weights[..., t, :].movedim(-1, 0)[..., None, None]
            # A memory's parameters are [B, H, ·, ·]; counts, and projections that were drawn once, are all alike.
            soup = mapped(every, lambda each: (share * each).sum(0) if each.dim() == 5 else each[-1])  # noqa: B023
            reads.append(self.rule.read(soup, q[..., t : t + 1, :]))
        return torch.cat(reads, dim=-2)


def _with(segments: Any, online: Any) -> Any:
    """The cached states and one more."""
    return mapped(segments, lambda cached, last: torch.cat([cached, last[None]]), online)
