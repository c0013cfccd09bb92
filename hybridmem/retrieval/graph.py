"""Search by entities."""

from __future__ import annotations

from hybridmem.core.namespace import Namespace
from hybridmem.stores.index.base import GraphIndex


def search(index: GraphIndex, namespace: Namespace, query: str, limit: int) -> dict[str, float]:
    """The `limit` memories closest to the entities that `query` names, with their personalised PageRank."""
    return dict(index.query(namespace, query, limit))
