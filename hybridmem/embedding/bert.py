"""The forward pass of a small BERT in numpy: the first vector after 0.3 s, where loading torch takes seconds.

Torch takes half to three quarters of the time for each text, once it has loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PORTION = 192
"""Tokens in one pass: with more of them, what lies between two layers leaves the processor's caches."""


class BertEncoder:
    """Sentence vectors from the folder of a sentence-transformers BERT with mean pooling (1810.04805, 1908.10084).

    Agrees with sentence-transformers to 1e-5 in every component.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text())
        self._layers: int = config["num_hidden_layers"]
        self._heads: int = config["num_attention_heads"]
        self._epsilon = np.float32(config["layer_norm_eps"])
        self._tensors: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._weights, self._biases = _matrices(self._tensors, self._layers)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        longest = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
        self._tokenizer.enable_truncation(longest)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Floats:
        """float32 of shape (len(texts), dimension), each row of unit length."""
        ids = [self._tokenizer.encode(text).ids for text in texts]
        return np.concatenate([self._sentences(few) for few in _portions(ids)])

    def _sentences(self, ids: Sequence[Sequence[int]]) -> Floats:
        lengths = [len(each) for each in ids]
        ends = np.cumsum(lengths)
        spans = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        states = self._states(np.concatenate(ids), np.concatenate([np.arange(length) for length in lengths]), spans)
        pooled: Floats = np.stack([states[span].mean(axis=0) for span in spans])
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled

    def _states(self, ids: NDArray[np.int64], positions: NDArray[np.int64], spans: Sequence[slice]) -> Floats:
        """The last layer's states, of shape (len(ids), dimension): the sentences stand one behind the other, so that
        none is padded, and only attention keeps to the `spans`."""
        states = self._tensors["embeddings.word_embeddings.weight"][ids]
        states += self._tensors["embeddings.position_embeddings.weight"][positions]
        states += self._tensors["embeddings.token_type_embeddings.weight"][0]
        states = self._norm(states, "embeddings.LayerNorm")
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            attended = self._linear(
                self._attention(states, spans, f"{layer}.attention.self"), f"{layer}.attention.output.dense"
            )
            states = self._norm(states + attended, f"{layer}.attention.output.LayerNorm")
            hidden = _gelu(self._linear(states, f"{layer}.intermediate.dense"))
            states = self._norm(states + self._linear(hidden, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return states

    def _attention(self, states: Floats, spans: Sequence[slice], name: str) -> Floats:
        width = states.shape[1]
        query, key, value = self._linear(states, name).reshape(len(states), 3, self._heads, -1).transpose(1, 2, 0, 3)
        query = query / np.float32(np.sqrt(width // self._heads))
        mixed = np.empty_like(states)
        for span in spans:
            scores = query[:, span] @ key[:, span].transpose(0, 2, 1)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            weights /= weights.sum(axis=-1, keepdims=True)
            mixed[span] = (weights @ value[:, span]).transpose(1, 0, 2).reshape(-1, width)
        return mixed

    def _linear(self, states: Floats, name: str) -> Floats:
        return states @ self._weights[name] + self._biases[name]

    def _norm(self, states: Floats, name: str) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + self._epsilon)
        normed: Floats = centred / spread * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        return normed


def _matrices(tensors: dict[str, Floats], layers: int) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Weights and biases by the name of their layer, taken out of `tensors`. Query, key and value are one product, and
    every weight lies as it is multiplied: a single sentence takes two thirds of the time then."""
    weights: dict[str, Floats] = {}
    biases: dict[str, Floats] = {}
    for number in range(layers):
        layer = f"encoder.layer.{number}"
        attention = f"{layer}.attention.self"
        parts = {attention: [f"{attention}.{part}" for part in ("query", "key", "value")]}
        parts |= {
            name: [name]
            for name in (f"{layer}.attention.output.dense", f"{layer}.intermediate.dense", f"{layer}.output.dense")
        }
        for name, of in parts.items():
            weights[name] = np.ascontiguousarray(np.concatenate([tensors.pop(f"{part}.weight") for part in of]).T)
            biases[name] = np.concatenate([tensors.pop(f"{part}.bias") for part in of])
    return weights, biases


def _portions(sentences: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """`sentences` in their order, as many at a time as have `PORTION` tokens between them, or one."""
    portion: list[Sequence[int]] = []
    tokens = 0
    for sentence in sentences:
        if portion and tokens + len(sentence) > PORTION:
            yield portion
            portion, tokens = [], 0
        portion.append(sentence)
        tokens += len(sentence)
    yield portion


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution's cumulative function, by Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    polynomial: Floats = np.full_like(t, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        polynomial *= t
        polynomial += np.float32(coefficient)
    tail = polynomial * t * np.exp(-z * z)
    activated: Floats = np.float32(0.5) * x * (1 + np.copysign(1 - tail, x))
    return activated
