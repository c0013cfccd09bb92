"""A state of fixed size as an output memory: what followed each hidden state of a session, by one of the rules.

Keys are the hidden states before the head, whitened over the session, because those of a frozen model share most of
their direction; values are the head's own rows of the tokens that followed. Nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from hybridmem.running.chunk import Chunk
from hybridmem.running.reader import SessionReader
from hybridmem.running.rules.base import Rule

PART = 0.3
"""Of a token's probability that the state decides."""
SHARPNESS = 20.0
"""What the cosine with a token's row is multiplied with before the softmax over the vocabulary."""
SHRINKAGE = 1e-2
"""Of the covariance, towards its mean variance."""


class FixedState:
    """`Votes` of a rule that was written what `chunks` said, in order."""

    def __init__(self, reader: SessionReader, chunks: Sequence[Chunk], rule: Rule[Any]) -> None:
        kept = [chunk for chunk in chunks if chunk.hidden is not None and chunk.tokens > 1]
        hidden = torch.cat([chunk.hidden[:-1].float() for chunk in kept if chunk.hidden is not None])
        following = torch.tensor([id for chunk in kept for id in chunk.ids[1:]], device=hidden.device)
        self._rows = normalize(reader.module.get_output_embeddings().weight.float(), dim=-1)
        self._mean = hidden.mean(dim=0)
        self._whitening = _whitening(hidden - self._mean)
        self._rule = rule
        width = hidden.shape[1]
        empty = rule.init(1, 1, width, width)
        self.state = rule.write(empty, self._keys(hidden)[None, None], self._rows[following][None, None])

    @property
    def nbytes(self) -> int:
        """Of the state, and of what whitens a key."""
        state: int = sum(each.nbytes for each in self.state)
        return state + self._whitening.nbytes + self._mean.nbytes

    def mixed(self, logits: Tensor, state: Tensor) -> Tensor:
        """Log-probabilities (vocabulary,) of the next token."""
        read = self._rule.read(self.state, self._keys(state.float()[None])[None, None])[0, 0, 0]
        votes = torch.softmax(SHARPNESS * (self._rows @ normalize(read, dim=-1)), dim=-1)
        return ((1 - PART) * torch.softmax(logits.float(), dim=-1) + PART * votes).log()

    def _keys(self, hidden: Tensor) -> Tensor:
        return normalize((hidden - self._mean) @ self._whitening, dim=-1)


def _whitening(centred: Tensor) -> Tensor:
    """(width, width): what gives rows like these a covariance of one."""
    covariance = centred.mT @ centred / max(1, len(centred) - 1)
    variance = covariance.diagonal().mean().clamp(min=1e-12)
    values, vectors = torch.linalg.eigh(
        covariance + SHRINKAGE * variance * torch.eye(len(covariance), device=centred.device)
    )
    found: Tensor = (vectors * values.clamp(min=1e-12).rsqrt()) @ vectors.mT
    return found
