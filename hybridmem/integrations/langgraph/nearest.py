"""The items nearest to a query in meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, checked_text
from hybridmem.integrations.langgraph.item import StoredItem, stored_item
from hybridmem.memory import HybridMemory
from hybridmem.retrieval import nearest as neighbours
from hybridmem.retrieval.nearest import GROWTH
from hybridmem.stores.index.base import ScanningVectorIndex, Vectors
from hybridmem.stores.ledger.composite import whole_of

Found = tuple[Episode, StoredItem]


def nearest(
    memory: HybridMemory, namespaces: Sequence[Namespace], query: str, limit: int, admitted: Callable[[Found], bool]
) -> list[tuple[float | None, Found]]:
    """Up to `limit` of the `admitted` items of the ledger's `namespaces`, best first, with the cosine similarity
    between `query` and the nearest of the item's texts. Scores are comparable across namespaces and searches.

    Texts that a dream found superseded do not count. Namespaces that the vector index reads whole are compared at
    once, and of their items only the nearest are read from the ledger."""
    memory.catch_up()
    memory.indexes.require_same_embedder()
    vector = memory.indexes.embedder.embed([checked_text(query)])[0]
    index = memory.indexes.vectors
    scanned = index.scan(namespaces, vector) if isinstance(index, ScanningVectorIndex) else {}
    found = _best_of(memory, scanned, limit, admitted)
    for namespace in namespaces:
        if namespace not in scanned:
            found += _within(memory, namespace, vector, limit, admitted)
    best = sorted(found, key=lambda hit: (-hit[0], -hit[1][0].position))[:limit]
    if best:
        episode = best[0][1][0]
        memory.ledger.touch(episode.namespace, [episode.id], memory.clock())
    return [(score, item) for score, item in best]


def _best_of(
    memory: HybridMemory,
    scanned: Mapping[Namespace, Mapping[str, float]],
    limit: int,
    admitted: Callable[[Found], bool],
) -> list[tuple[float, Found]]:
    """The `limit` best of the `admitted` items behind the scores that a scan gave every text, and those that are as
    good as the last of them."""
    ranking = sorted(
        ((score, namespace, id) for namespace, scores in scanned.items() for id, score in scores.items()),
        key=lambda text: -text[0],
    )
    found: dict[str, tuple[float, Found]] = {}
    seen: set[str] = set()
    start, size = 0, 2 * limit
    while start < len(ranking) and len(found) < limit:
        end = min(start + size, len(ranking))
        while end < len(ranking) and ranking[end][0] == ranking[end - 1][0]:
            end += 1
        some: dict[Namespace, dict[str, float]] = {}
        for score, namespace, id in ranking[start:end]:
            some.setdefault(namespace, {})[id] = score
        for namespace, scores in some.items():
            for item, score in _items(memory, namespace, scores):
                if item[0].id not in seen:
                    seen.add(item[0].id)
                    if admitted(item):
                        found[item[0].id] = score, item
        start, size = end, size * GROWTH
    return list(found.values())


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
    wanted = [whole for whole in wholes.values() if whole not in texts]
    others = memory.ledger.get_many(namespace, wanted) if wanted else {}
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
