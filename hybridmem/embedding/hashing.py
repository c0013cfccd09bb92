"""Vectors without a model: words and their letters, hashed (Weinberger and others, 0902.2206)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.text.tokens import STOPWORDS, tokens

_WORD_WEIGHT, _LETTERS_WEIGHT, _STOPWORD_WEIGHT = 1.0, 0.3, 0.1
_LETTERS = 3


class HashingEmbedder:
    """An `Embedder` for tests: texts that share words, or parts of words, are near. Equal on every machine."""

    def __init__(self, dimension: int = 256) -> None:
        self._dimension = dimension

    @property
    def name(self) -> str:
        return f"hashing-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for feature, weight in _features(text):
                # crc32 is the same in every process, unlike hash().
                code = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
                vectors[row, (code >> 1) % self._dimension] += weight if code & 1 else -weight
        lengths = np.linalg.norm(vectors, axis=1)
        # A text without a word, or whose features cancel out, still needs a direction.
        vectors[lengths == 0, 0] = 1.0
        lengths[lengths == 0] = 1.0
        unit: NDArray[np.float32] = vectors / lengths[:, None]
        return unit


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in tokens(text):
        if word in STOPWORDS:
            yield word, _STOPWORD_WEIGHT
            continue
        yield word, _WORD_WEIGHT
        bounded = f"<{word}>"
        for start in range(len(bounded) - _LETTERS + 1):
            yield f"~{bounded[start : start + _LETTERS]}", _LETTERS_WEIGHT
