"""How many rows of a training step fit into the free memory at once, and whether layers must be computed twice.

A step's rows go through the model in parts, and their gradients add up, so that the parts change the memory and not the
result. What a part takes is estimated from the model's configuration, from above: LoRA keeps the input of every linear
layer (Hu et al. 2021), and the head's logits stand beside their logarithms and their gradients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SHARE = 0.6
"""Of the free memory: the rest is for what the estimate does not see, and for the machine's other work."""
_BYTES = 4
"""Of an activation. Half-precision weights halve some of them, and LoRA's own inputs stay float32."""
_HIDDEN, _ATTENTION, _INTERMEDIATE, _SCORES = 8, 7, 5, 3
"""What a layer keeps for each token, in vectors of each width: counted in autograd for all families in tests/models,
from what is kept there to three times of it."""
_READ_HIDDEN, _READ_ATTENTION, _READ_INTERMEDIATE = 4, 4, 3
"""The same of a pass without gradients, which keeps one layer at a time."""
_LOGIT_BYTES, _READ_LOGIT_BYTES = 20, 12
"""Of one token's score for one word: in the model's precision, in float32, its logarithm; and the gradients of two."""
_CAP_BYTES = 8
"""More of it where scores are softly capped, as Gemma 2 does."""
OPTIMIZER_BYTES = 24
"""Of one LoRA weight in training: its gradient, its momentum, and the step's working copies."""


def share_of(free: int) -> int:
    """What of so many free bytes a training takes: `SHARE`, rounded down to a power of two, so that a machine with a
    little more or less to spare does the same sums in the same order."""
    return 1 << max(0, int(SHARE * free).bit_length() - 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a causal language model decides the size of its activations."""

    layers: int
    hidden: int
    attention: int
    """Width of all heads together."""
    intermediate: int
    """Of the feed-forward layers; of a mixture of experts, of those that one token goes through."""
    heads: int
    vocabulary: int
    keeps_scores: bool = False
    """Whether attention is written out, so that the scores of all pairs of tokens are kept."""
    scores_all: bool = False
    """Whether the head scores every token, wanted or not."""
    caps_scores: bool = False

    @classmethod
    def of(cls, config: Any, *, scores_all: bool = False) -> Shape:
        """The shape that a configuration of `transformers` names; families that name less are taken for the usual."""
        text = config.get_text_config()
        hidden, heads = int(text.hidden_size), int(text.num_attention_heads)
        head = getattr(text, "head_dim", None) or hidden // heads
        inner = getattr(text, "intermediate_size", None) or getattr(text, "n_inner", None) or 4 * hidden
        return cls(
            layers=int(text.num_hidden_layers),
            hidden=hidden,
            attention=heads * int(head),
            intermediate=int(inner) * int(getattr(text, "num_experts_per_tok", None) or 1),
            heads=heads,
            vocabulary=int(text.vocab_size),
            keeps_scores=getattr(config, "_attn_implementation", None) == "eager",
            scores_all=scores_all,
            caps_scores=bool(getattr(text, "final_logit_softcapping", None)),
        )

    def _layer(self, length: int) -> int:
        """Bytes that one layer keeps for one token among `length`."""
        scores = _SCORES * self.heads * length if self.keeps_scores else 0
        vectors = _HIDDEN * self.hidden + _ATTENTION * self.attention + _INTERMEDIATE * self.intermediate
        return _BYTES * (vectors + scores)

    def trained_bytes(self, rows: int, length: int, predicted: int, *, recompute: bool = False) -> int:
        """Bytes that a forward pass keeps for its backward pass, at most: `rows` of `length` tokens, padding included,
        of which `predicted` each are scored. With `recompute` each layer keeps its input, and one of them the rest."""
        layer = self._layer(length)
        token = 2 * self.layers * _BYTES * self.hidden + layer if recompute else self.layers * layer
        return rows * (length * token + self._scored(length, predicted, _LOGIT_BYTES))

    def read_bytes(self, rows: int, length: int, predicted: int) -> int:
        """The same of a forward pass without gradients."""
        vectors = _READ_HIDDEN * self.hidden + _READ_ATTENTION * self.attention + _READ_INTERMEDIATE * self.intermediate
        scores = _SCORES * self.heads * length if self.keeps_scores else 0
        token = _BYTES * (vectors + scores)
        return rows * (length * token + self._scored(length, predicted, _READ_LOGIT_BYTES))

    def _scored(self, length: int, predicted: int, each: int) -> int:
        """Bytes of one row's scores, of tokens for words, at `each` for a plain one."""
        scores = (length if self.scores_all else predicted) * self.vocabulary
        return scores * (each + _CAP_BYTES * self.caps_scores)


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """What may be in memory at once. A single row always may: nothing smaller can be tried."""

    shape: Shape
    limit: int
    """Bytes."""
    recompute: bool = False
    """Whether layers keep their inputs alone and are computed again in the backward pass (Chen et al. 2016,
    arXiv:1604.06174): a third slower, and the only way for a row that would not fit otherwise."""

    @classmethod
    def of(cls, shape: Shape, free: int, rows: Iterable[tuple[int, int]]) -> MemoryBudget:
        """Room in `free` bytes for any of `rows`: (tokens, those of them that are scored)."""
        return cls(shape, max(0, free), any(shape.trained_bytes(1, *row) > free for row in rows))

    def trains(self, rows: int, length: int, predicted: int) -> bool:
        """Whether such a part of a step fits, with its gradients."""
        return rows == 1 or self.shape.trained_bytes(rows, length, predicted, recompute=self.recompute) <= self.limit

    def reads(self, rows: int, length: int, predicted: int) -> bool:
        """Whether such a batch fits, without gradients."""
        return rows == 1 or self.shape.read_bytes(rows, length, predicted) <= self.limit

    def halved(self) -> MemoryBudget:
        """Half of the room, for when the estimate was wrong."""
        return MemoryBudget(self.shape, self.limit // 2, recompute=True)
