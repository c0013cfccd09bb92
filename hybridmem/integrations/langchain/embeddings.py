"""Embedding models: hybridmem's for LangChain, and LangChain's for a memory."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from hybridmem import embedding
from hybridmem.core.errors import ModelError
from hybridmem.embedding.base import Embedder


class HybridEmbeddings(Embeddings):
    """LangChain's `Embeddings` on one of `hybridmem.embedding`: a name that it knows, or an `Embedder`."""

    def __init__(self, embedder: str | Embedder = embedding.DEFAULT) -> None:
        self.embedder = embedding.load(embedder) if isinstance(embedder, str) else embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector of unit length for each text."""
        return [[float(figure) for figure in row] for row in self.embedder.embed(texts)] if texts else []

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class LangChainEmbedder:
    """A memory's `Embedder` on any of LangChain's `Embeddings`: ``HybridMemory.open(embedder=LangChainEmbedder(...))``.

    `name` is recorded with the vectors, and vectors of another name are refused. By default it is the class and its
    model.
    """

    def __init__(self, embeddings: Embeddings, name: str | None = None) -> None:
        model = getattr(embeddings, "model", None) or getattr(embeddings, "model_name", None)
        self.embeddings = embeddings
        self._name = name or ":".join(["langchain", type(embeddings).__name__, *([str(model)] if model else [])])

    @property
    def name(self) -> str:
        return self._name

    @functools.cached_property
    def dimension(self) -> int:
        return len(self.embeddings.embed_query("dimension"))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors. Raises `ModelError` if the model gave malformed ones."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = np.asarray(self.embeddings.embed_documents(list(texts)), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ModelError(f"{self._name} gave no vector for each of {len(texts)} texts: check that model")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] == 0, 0] = 1.0  # a text without direction still needs one
        lengths[lengths == 0] = 1.0
        unit: NDArray[np.float32] = vectors / lengths
        return unit
