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

Found = tuple[Episode, StoredItem]


def nearest(
    memory: HybridMemory, namespaces: Sequence[Namespace], query: str, limit: int, admitted: Callable[[Found], bool]
) -> list[tuple[float | None, Found]]:
    """Up to `limit` of the `admitted` items of the ledger's `namespaces`, best first, with the cosine similarity
    between `query` and the nearest of the item's texts. Scores are comparable across namespaces and searches.

    Texts that a dream found superseded do not count."""
    memory.catch_up()
    memory.indexes.require_same_embedder()
    vector = memory.indexes.embedder.embed([checked_text(query)])[0]
    found = [hit for namespace in namespaces for hit in _within(memory, namespace, vector, limit, admitted)]
    best = sorted(found, key=lambda hit: (-hit[0], -hit[1][0].position))[:limit]
    if best:
        episode = best[0][1][0]
        memory.ledger.touch(episode.namespace, [episode.id], memory.clock())
    return [(score, item) for score, item in best]


def _within(
    memory: HybridMemory, namespace: Namespace, vector: Vectors, limit: int, admitted: Callable[[Found], bool]
) -> list[tuple[float, Found]]:
    indexes = memory.indexes

    def search(pool: int) -> dict[str, float]:
        return neighbours.nearest(memory.ledger, indexes.vectors, indexes.embedder, namespace, vector, pool)

    def admit(scores: dict[str, float]) -> list[tuple[float, Found]]:
        return [(score, item) for item, score in _items(memory, namespace, scores) if admitted(item)]

    return neighbours.widening(search, admit, limit)


def _items(memory: HybridMemory, namespace: Namespace, scores: dict[str, float]) -> list[tuple[Found, float]]:
    """The items behind `scores` (best first), each once, with the score of its best text."""
    texts = memory.ledger.get_many(namespace, list(scores))
    wholes = {id: whole for id, text in texts.items() if (whole := whole_of(text)) is not None}
    others = memory.ledger.get_many(namespace, [whole for whole in wholes.values() if whole not in texts])
    found: dict[str, tuple[Found, float]] = {}
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
