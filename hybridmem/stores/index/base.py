"""What the rest of hybridmem asks of a derived index. `inmemory.py` is the plainest twin of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact

Vectors = NDArray[Any]
"""float32, shape (n, dimension), each row of unit length."""


def best(scores: Mapping[str, float], limit: int) -> list[tuple[str, float]]:
    """The `limit` highest of `scores`, best first, equal ones by id."""
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))[: max(limit, 0)]


def require_a_vector_each(ids: Sequence[str], vectors: Vectors) -> None:
    """Raises `InvalidInput` where there are not as many `vectors` as `ids`."""
    if len(ids) != len(vectors):
        raise InvalidInput(f"{len(ids)} ids came with {len(vectors)} vectors: pass one vector for each id")


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Some entities of the graph, and which of them stand in a memory together."""

    entities: tuple[tuple[str, int], ...] = ()
    """(name, memories that it stands in)."""
    links: tuple[tuple[str, str, int], ...] = ()
    """(name, name, memories with both), the most first."""


class VectorIndex(Protocol):
    """Nearest neighbours by cosine, one namespace at a time. Holds ids and vectors, never texts."""

    @property
    def location(self) -> Path | str | None:
        """Where its content is kept: a path on this machine, or another name that no other place has. None for an
        index in the memory of this process, which is empty when the process starts."""
        ...

    def upsert(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> None:
        """Put these vectors in the place of all that their `ids` had. An id that comes several times has that many
        vectors: a long memory has one for each of its parts."""
        ...

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Remove those of `ids` that are there, with all their vectors; returns how many ids."""
        ...

    def query(self, namespace: Namespace, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """(id, cosine similarity of its nearest vector), best first, each id once."""
        ...

    def count(self, namespace: Namespace) -> int:
        """How many ids there are."""
        ...

    def ids(self, namespace: Namespace) -> Iterator[str]: ...

    def clear(self) -> None:
        """Remove everything, of every namespace."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class ScanningVectorIndex(VectorIndex, Protocol):
    """A `VectorIndex` that compares a vector with the memories of many namespaces at once."""

    def scan(self, namespaces: Sequence[Namespace], vector: Vectors) -> dict[Namespace, dict[str, float]]:
        """The cosine similarity of every memory, by id, in those of `namespaces` that it reads whole. The others, which
        are too large for it, are left out: `query` them one by one."""
        ...


class LexicalIndex(Protocol):
    """Full-text search by BM25, one namespace at a time."""

    @property
    def location(self) -> Path | str | None:
        """As `VectorIndex.location`."""
        ...

    def upsert(self, namespace: Namespace, texts: Mapping[str, str]) -> None: ...

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Remove those of `ids` that are there, such that no byte of their text stays in the file; returns how
        many."""
        ...

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        """(id, BM25 score: higher is better), best first. Any text is a safe query."""
        ...

    def count(self, namespace: Namespace) -> int: ...

    def ids(self, namespace: Namespace) -> Iterator[str]: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


class GraphIndex(Protocol):
    """Entities, the memories that mention them and the facts between them."""

    @property
    def location(self) -> Path | str | None:
        """As `VectorIndex.location`."""
        ...

    def upsert(self, namespace: Namespace, memories: Sequence[Episode | Fact]) -> None: ...

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Remove those of `ids` that are there; returns how many."""
        ...

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        """(memory id, personalised PageRank from the entities that `text` names), best first; empty when it names
        none that is known."""
        ...

    def neighbourhood(self, namespace: Namespace, entity: str | None, limit: int) -> Neighbourhood:
        """`entity` (in lower case) and those that share most memories with it, or for None the entities that stand in
        most memories: `limit` in all. Empty for an entity that is not known."""
        ...

    def mentioning(self, namespace: Namespace, entity: str, limit: int) -> list[str]:
        """Ids of memories with `entity`, the highest first."""
        ...

    def matching(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, int]]:
        """(entity, memories that it stands in) of those whose name contains `text`, the most mentioned first."""
        ...

    def count(self, namespace: Namespace) -> int: ...

    def ids(self, namespace: Namespace) -> Iterator[str]: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...
