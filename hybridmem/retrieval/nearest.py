"""Nearest neighbours where every memory must be reachable, not only those that an index's graph leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hybridmem.core.namespace import Namespace
from hybridmem.embedding.base import Embedder
from hybridmem.stores.index.base import VectorIndex, Vectors
from hybridmem.stores.index.chunks import similarity
from hybridmem.stores.ledger.base import Ledger

T = TypeVar("T")

POOL = 200
"""The fewest neighbours that are looked at: with no more memories than that, the order is exact."""
GROWTH = 4


def widening(
    search: Callable[[int], dict[str, float]], admit: Callable[[dict[str, float]], list[T]], limit: int
) -> list[T]:
    """What `admit` makes of the neighbours that `search` finds, best first: at least `limit`, or all that there are."""
    pool = max(POOL, 2 * limit)
    while True:
        scores = search(pool)
        admitted = admit(scores)
        if len(admitted) >= limit or len(scores) < pool:
            return admitted
        pool *= GROWTH


def nearest(
    ledger: Ledger, index: VectorIndex, embedder: Embedder, namespace: Namespace, vector: Vectors, limit: int
) -> dict[str, float]:
    """The `limit` memories nearest to the unit `vector` with their cosine similarity, best first.

    Where that is all of them, it is all of them: among many nearly equal vectors Chroma's graph leaves some that no
    walk through it meets (measured with chromadb 1.5.9: 14 of 1,000). Those are embedded here and compared."""
    found = dict(index.query(namespace, vector, limit))
    if len(found) >= limit or index.count(namespace) == len(found):
        return found
    missed = ledger.get_many(namespace, [id for id in index.ids(namespace) if id not in found])
    if missed:
        found |= dict(zip(missed, similarity(list(missed.values()), embedder, vector), strict=True))
    return dict(sorted(found.items(), key=lambda one: -one[1])[:limit])
