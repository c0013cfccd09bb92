"""The items nearest to a query in meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, checked_text
from hybridmem.integrations.langgraph.item import StoredItem, stored_item
from hybridmem.memory import HybridMemory
from hybridmem.retrieval import nearest as neighbours
from hybridmem.stores.index.base import Vectors
from hybridmem.stores.ledger.composite import whole_of

Held = tuple[Episode, StoredItem]


def nearest(
    memory: HybridMemory, namespaces: Sequence[Namespace], query: str, limit: int, admitted: Callable[[Held], bool]
) -> list[tuple[float | None, Held]]:
    """Up to `limit` of the `admitted` items of the ledger's `namespaces`, best first, with the cosine similarity
    between `query` and the nearest of the item's texts: comparable between namespaces, and between searches.

    Texts that a dream found superseded count no more."""
    memory.catch_up()
    memory.indexes.require_same_embedder()
    vector = memory.indexes.embedder.embed([checked_text(query)])[0]
    found = [hit for namespace in namespaces for hit in _within(memory, namespace, vector, limit, admitted)]
    best = sorted(found, key=lambda hit: (-hit[0], -hit[1][0].position))[:limit]
    if best:
        episode = best[0][1][0]
        memory.ledger.touch(episode.namespace, [episode.id], memory._clock())
    return [(score, held) for score, held in best]


def _within(
    memory: HybridMemory, namespace: Namespace, vector: Vectors, limit: int, admitted: Callable[[Held], bool]
) -> list[tuple[float, Held]]:
    parts = memory.indexes

    def search(pool: int) -> dict[str, float]:
        return neighbours.nearest(memory.ledger, parts.vectors, parts.embedder, namespace, vector, pool)

    def admit(scores: dict[str, float]) -> list[tuple[float, Held]]:
        return [(score, held) for held, score in _items(memory, namespace, scores) if admitted(held)]

    return neighbours.widening(search, admit, limit)


def _items(memory: HybridMemory, namespace: Namespace, scores: dict[str, float]) -> list[tuple[Held, float]]:
    """The items behind `scores` (best first), each once, at the best of its texts."""
    texts = memory.ledger.get_many(namespace, list(scores))
    wholes = {id: whole for id, text in texts.items() if (whole := whole_of(text)) is not None}
    others = memory.ledger.get_many(namespace, [whole for whole in wholes.values() if whole not in texts])
    found: dict[str, tuple[Held, float]] = {}
    for id, score in scores.items():
        text = texts.get(id)
        episode = {**texts, **others}.get(wholes.get(id, id))
        if not isinstance(text, Episode) or not isinstance(episode, Episode):
            continue
        if text.superseded_by is not None or text.quarantined or episode.quarantined or episode.id in found:
            continue
        item = stored_item(episode)
        if item is not None:
            found[episode.id] = (episode, item), score
    return list(found.values())
