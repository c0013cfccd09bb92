"""The session's own continuations, looked up by the model's last hidden state (kNN-LM, Khandelwal et al. 2020,
arXiv:1911.00172).

Wherever the session put the model into nearly the state that it is in now, the token that followed there gets a vote.
The nearer that state, the more the votes count: a state as far from the session as its messages are from each other
gets none. Of states that are the same, the newest alone votes, so that a value which was replaced has no say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk

NEAREST = 16
"""States that vote."""
SHARPNESS = 6.0
"""The median squared distance between neighbours, divided by this, is the temperature of the votes."""
SAME = 1e-3
"""Proportion of that median below which two states are the same."""
SAMPLE = 256
"""States whose distance to other messages is measured."""
FARTHEST = 0.95
"""Quantile of these distances beyond which nobody votes."""


@dataclass(frozen=True, slots=True)
class Gate:
    """How far a state may be, in squared distances."""

    middle: float
    spread: float
    farthest: float
    temperature: float


class OutputMemory:
    """What followed each state of `chunks`. `most` is the largest part of a probability that it may decide."""

    def __init__(self, chunks: Sequence[Chunk], most: float) -> None:
        states, following, message = [], [], []
        names: dict[str, int] = {}
        for chunk in chunks:
            if chunk.hidden is None or len(chunk.hidden) < 2:
                continue
            device = chunk.hidden.device
            ids = torch.tensor(chunk.ids, device=device)
            of = [names.setdefault(piece.message, len(names)) for piece in chunk.pieces for _ in piece.ids]
            states.append(chunk.hidden[:-1].float())
            following.append(ids[1:])
            message.append(torch.tensor(of[:-1], device=device))
        self._states = torch.cat(states) if states else torch.zeros(0, 1)
        self._following = torch.cat(following) if states else torch.zeros(0, dtype=torch.long)
        self._message = torch.cat(message) if states else torch.zeros(0, dtype=torch.long)
        self._squares = self._states.square().sum(dim=1)
        self._most = most

    @cached_property
    def gate(self) -> Gate | None:
        """None for a session of one message, which has nothing to be compared with."""
        count = len(self._states)
        if count == 0 or bool((self._message == self._message[0]).all()):
            return None
        sample = torch.linspace(0, count - 1, min(SAMPLE, count), device=self._states.device).round().long()
        distances = self._distances(self._states[sample])
        distances[self._message[sample][:, None] == self._message[None]] = torch.inf
        nearest = distances.min(dim=1).values
        middle = float(nearest.median())
        return Gate(
            middle=middle,
            spread=max(float(nearest.std()), 1e-6 * middle, 1e-12),
            farthest=float(nearest.quantile(FARTHEST)),
            temperature=max(middle / SHARPNESS, 1e-12),
        )

    def mixed(self, logits: Tensor, state: Tensor) -> Tensor:
        """Log-probabilities (vocabulary,) of the next token from the model's `logits` and the session's votes for the
        hidden `state` (width,); the logits as they are where nobody votes."""
        gate = self.gate
        if gate is None:
            return logits
        distance = self._distances(state.float()[None])[0]
        near, at = distance.topk(min(NEAREST, len(distance)), largest=False)
        if float(near[0]) > gate.farthest:
            return logits
        weight = self._most * torch.sigmoid((gate.middle - near[0]) / gate.spread)
        kept = self._newest(at, gate)
        votes = torch.softmax(-near[kept] / gate.temperature, dim=0)
        model = torch.softmax(logits.float(), dim=-1) * (1 - weight)
        return model.index_add(0, self._following[at[kept]].to(model.device), votes.to(model) * weight).log()

    def _newest(self, at: Tensor, gate: Gate) -> Tensor:
        """Which of the rows `at` no later row says the same state for."""
        states = self._states[at]
        same = torch.cdist(states, states).square() <= SAME * gate.middle
        later = at[None] > at[:, None]
        return (~(same & later).any(dim=1)).nonzero()[:, 0]

    def _distances(self, states: Tensor) -> Tensor:
        """float32 (n, rows): squared distances of `states` (n, width)."""
        products = states.to(self._states) @ self._states.mT
        squares = states.square().sum(dim=1).to(self._states)
        return (squares[:, None] + self._squares[None] - 2 * products).clamp(min=0.0)
