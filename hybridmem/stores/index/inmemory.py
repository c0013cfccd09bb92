"""The plainest indexes: what the others must agree with."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.mentions import Mentions, entity, name_parts, named
from hybridmem.core.text.tokens import index_tokens, query_terms, tokens
from hybridmem.stores.index.base import Neighbourhood, Vectors, best
from hybridmem.stores.index.mention_graph import DAMPING, edges, memory_mentions

K1, B = 1.2, 0.75
"""BM25's constants, as FTS5 has them."""


class InMemoryVectorIndex:
    """A `VectorIndex` that compares with every vector."""

    location: Path | str | None = None

    def __init__(self) -> None:
        self._vectors: dict[Namespace, dict[str, NDArray[np.float32]]] = {}

    def upsert(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> None:
        rows: dict[str, list[NDArray[np.float32]]] = {}
        for id, row in zip(ids, np.asarray(vectors, dtype=np.float32), strict=True):
            rows.setdefault(id, []).append(row)
        self._vectors.setdefault(namespace, {}).update({id: np.stack(own) for id, own in rows.items()})

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        return _pop(self._vectors.get(namespace, {}), ids)

    def query(self, namespace: Namespace, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        held = self._vectors.get(namespace, {})
        return best({id: float((rows @ vector).max()) for id, rows in held.items()}, limit)

    def count(self, namespace: Namespace) -> int:
        return len(self._vectors.get(namespace, {}))

    def ids(self, namespace: Namespace) -> Iterator[str]:
        return iter(sorted(self._vectors.get(namespace, {})))

    def clear(self) -> None:
        self._vectors.clear()

    def close(self) -> None:
        """Nothing is open."""


class InMemoryLexicalIndex:
    """A `LexicalIndex` that reads every text at each query; it does not stem words."""

    location: Path | str | None = None

    def __init__(self) -> None:
        self._texts: dict[Namespace, dict[str, list[str]]] = {}

    def upsert(self, namespace: Namespace, texts: Mapping[str, str]) -> None:
        self._texts.setdefault(namespace, {}).update({id: index_tokens(text) for id, text in texts.items()})

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        return _pop(self._texts.get(namespace, {}), ids)

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        texts = self._texts.get(namespace, {})
        if not texts:
            return []
        mean_length = sum(map(len, texts.values())) / len(texts)
        scores: defaultdict[str, float] = defaultdict(float)
        for term in query_terms(text):
            counts = {id: _occurrences(tokens(term), words) for id, words in texts.items()}
            containing = sum(count > 0 for count in counts.values())
            weight = max(math.log((len(texts) - containing + 0.5) / (containing + 0.5)), 1e-6)
            for id, count in counts.items():
                if count:
                    length = len(texts[id]) / mean_length
                    scores[id] += weight * count * (K1 + 1) / (count + K1 * (1 - B + B * length))
        return best(scores, limit)

    def count(self, namespace: Namespace) -> int:
        return len(self._texts.get(namespace, {}))

    def ids(self, namespace: Namespace) -> Iterator[str]:
        return iter(sorted(self._texts.get(namespace, {})))

    def clear(self) -> None:
        self._texts.clear()

    def close(self) -> None:
        """Nothing is open."""


class InMemoryGraphIndex:
    """A `GraphIndex` that leaves the walk to networkx."""

    location: Path | str | None = None

    def __init__(self) -> None:
        self._memories: dict[Namespace, dict[str, Mentions]] = {}

    def upsert(self, namespace: Namespace, memories: Sequence[Episode | Fact]) -> None:
        self._memories.setdefault(namespace, {}).update({memory.id: memory_mentions(memory) for memory in memories})

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        return _pop(self._memories.get(namespace, {}), ids)

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        if not self._memories.get(namespace):
            return []
        import networkx

        graph = networkx.Graph()
        for id, names in self.entities(namespace).items():
            graph.add_edges_from((("memory", id), ("entity", name)) for name in names)
        known = {name for side, name in graph if side == "entity"}
        seeds = {("entity", name): 1 / graph.degree["entity", name] for name in named(text, known, name_parts(known))}
        if not seeds:
            return []
        ranks = networkx.pagerank(graph, alpha=DAMPING, personalization=seeds, tol=1e-12, max_iter=1000)
        return best({id: rank for (side, id), rank in ranks.items() if side == "memory" and rank > 1e-10}, limit)

    def neighbourhood(self, namespace: Namespace, entity: str | None, limit: int) -> Neighbourhood:
        mentioned = [set(names) for names in self.entities(namespace).values()]
        counts = Counter(name for names in mentioned for name in names)
        if entity is None:
            chosen = _most(counts, limit)
        elif entity not in counts:
            return Neighbourhood()
        else:
            beside = Counter(name for names in mentioned if entity in names for name in names - {entity})
            chosen = [entity, *_most(beside, limit - 1)]
        links = [(a, b, sum(a in names and b in names for names in mentioned)) for a, b in combinations(chosen, 2)]
        return Neighbourhood(
            entities=tuple((name, counts[name]) for name in chosen),
            links=tuple(sorted((link for link in links if link[2]), key=lambda link: -link[2])),
        )

    def mentioning(self, namespace: Namespace, entity: str, limit: int) -> list[str]:
        found = [id for id, names in self.entities(namespace).items() if entity in names]
        return sorted(found, reverse=True)[:limit]

    def matching(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, int]]:
        counts = Counter(name for names in self.entities(namespace).values() for name in names)
        found = {name: count for name, count in counts.items() if entity(text) in name}
        return [(name, found[name]) for name in _most(found, limit)]

    def entities(self, namespace: Namespace) -> dict[str, list[str]]:
        """Each memory's entities, in lower case."""
        return edges(self._memories.get(namespace, {}))

    def count(self, namespace: Namespace) -> int:
        return len(self._memories.get(namespace, {}))

    def ids(self, namespace: Namespace) -> Iterator[str]:
        return iter(sorted(self._memories.get(namespace, {})))

    def clear(self) -> None:
        self._memories.clear()

    def close(self) -> None:
        """Nothing is open."""


def _pop(held: dict[str, Any], ids: Sequence[str]) -> int:
    """Take `ids` out; returns how many were there."""
    before = len(held)
    for id in ids:
        held.pop(id, None)
    return before - len(held)


def _most(counts: Mapping[str, int], limit: int) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))[: max(limit, 0)]


def _occurrences(phrase: Sequence[str], words: Sequence[str]) -> int:
    size = len(phrase)
    return sum(list(words[start : start + size]) == list(phrase) for start in range(len(words) - size + 1))
