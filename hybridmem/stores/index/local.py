"""The default vector index of a memory folder: each namespace compared whole while it is small, in Chroma when large.

A collection of Chroma costs 10 to 30 ms to open and the room of a thousand vectors on the disk, whatever is in it. A
memory of many namespaces with a few items each (one for each user, chat or topic) would pay that for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hybridmem.core.namespace import Namespace
from hybridmem.stores.index.base import VectorIndex, Vectors, best
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.stores.index.flat import FlatVectorIndex

LARGEST = 1_000
"""Vectors of a namespace that are compared whole."""


class LocalVectorIndex:
    """A `ScanningVectorIndex` in `folder`: a namespace of up to `largest` vectors in a `FlatVectorIndex`, one that has
    grown beyond it in a `ChromaIndex`, where it stays. What an earlier version put into Chroma is read from there until
    it is indexed anew.

    Raises what the two raise."""

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self.location = folder
        self._largest = largest
        self._large = ChromaIndex(folder)
        self._small = FlatVectorIndex(folder / "flat.sqlite3")
        if self._small.is_new:
            self._small.begin(self._large.digests())

    def upsert(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> None:
        if not self._small.put(namespace, ids, vectors):
            self._large.upsert(namespace, ids, vectors)
        elif self._small.size(namespace) > self._largest:
            with self._small.handing_over(namespace) as (every, stacked):
                # A process that was killed here may have left what was deleted since.
                self._large.delete(namespace, sorted(set(self._large.ids(namespace)).difference(every)))
                self._large.upsert(namespace, every, stacked)

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        removed = self._small.delete(namespace, ids)
        # Asked afterwards: another process may have handed it over meanwhile.
        return removed + (self._large.delete(namespace, ids) if self._small.is_elsewhere(namespace) else 0)

    def query(self, namespace: Namespace, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        scores = self._small.scan([namespace], vector).get(namespace)
        return self._large.query(namespace, vector, limit) if scores is None else best(scores, limit)

    def scan(self, namespaces: Sequence[Namespace], vector: Vectors) -> dict[Namespace, dict[str, float]]:
        return self._small.scan(namespaces, vector)

    def count(self, namespace: Namespace) -> int:
        return self._of(namespace).count(namespace)

    def ids(self, namespace: Namespace) -> Iterator[str]:
        return self._of(namespace).ids(namespace)

    def clear(self) -> None:
        # In this order: should it end between the two, a large namespace is looked for where it is written anew.
        self._large.clear()
        self._small.clear()

    def close(self) -> None:
        self._small.close()
        self._large.close()

    def _of(self, namespace: Namespace) -> VectorIndex:
        return self._large if self._small.is_elsewhere(namespace) else self._small
