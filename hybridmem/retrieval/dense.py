"""Search by meaning."""

from __future__ import annotations

from hybridmem.core.namespace import Namespace
from hybridmem.stores.index.base import VectorIndex, Vectors


def search(index: VectorIndex, namespace: Namespace, vector: Vectors, limit: int) -> dict[str, float]:
    """The `limit` memories nearest to the unit vector (shape (dimension,)), with their cosine similarity."""
    return dict(index.query(namespace, vector, limit))
