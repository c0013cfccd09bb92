"""Search by words."""

from __future__ import annotations

from hybridmem.core.namespace import Namespace
from hybridmem.stores.index.base import LexicalIndex


def search(index: LexicalIndex, namespace: Namespace, query: str, limit: int) -> dict[str, float]:
    """The `limit` memories that share the rarest words with `query`, with their BM25 score."""
    return dict(index.query(namespace, query, limit))
