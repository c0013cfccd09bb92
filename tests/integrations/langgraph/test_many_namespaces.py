"""A search under a prefix that many namespaces share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.base import PutOp
from sqlalchemy import event
from sqlalchemy.engine import Engine

from hybridmem import HybridMemory
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.integrations.langgraph import HybridStore
from hybridmem.models.fake import FakeModel
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.stores.index.local import LocalVectorIndex

PEOPLE = ("people",)
MANY = 120


class CountingEmbedder(HashingEmbedder):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    def embed(self, texts: Sequence[str]) -> Any:
        self._counts["texts embedded"] += len(texts)
        return super().embed(texts)


@pytest.fixture(scope="module")
def counts() -> Counter[str]:
    return Counter()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, counts: Counter[str]) -> Iterator[HybridStore]:
    folder = tmp_path_factory.mktemp("many") / "memory"
    with HybridMemory.open(folder, model=FakeModel(), embedder=CountingEmbedder(counts)) as memory:
        opened = HybridStore(memory, index={"fields": ["text", "aside"]})
        opened.batch(
            [
                PutOp(
                    (*PEOPLE, f"n{number:03}"), "likes", {"text": f"Person {number} likes tea", "even": number % 2 == 0}
                )
                for number in range(MANY)
            ]
        )
        opened.put((*PEOPLE, "n007"), "pet", {"text": "A ferret lives here", "aside": "it eats rye bread"})
        opened.search(PEOPLE, query="ferret")
        yield opened


@pytest.fixture
def counted(store: HybridStore, counts: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What is paid from here on: texts embedded, collections opened, and SQL statements of the ledger and vectors."""
    vectors = store.memory(PEOPLE).indexes.vectors
    assert isinstance(vectors, LocalVectorIndex)

    def statement(*given: object) -> None:
        counts["statements"] += 1

    def opened(*given: object) -> None:
        counts["collections"] += 1

    monkeypatch.setattr(ChromaIndex, "_collection", opened)
    vectors._small._file._connection.set_trace_callback(statement)
    event.listen(Engine, "before_cursor_execute", statement)
    counts.clear()
    yield counts
    event.remove(Engine, "before_cursor_execute", statement)
    vectors._small._file._connection.set_trace_callback(None)


def test_a_search_pays_for_what_it_finds_and_not_for_each_namespace(store: HybridStore, counted: Counter[str]) -> None:
    found = store.search(PEOPLE, query="ferret that eats rye bread", limit=3)
    assert (found[0].namespace, found[0].key, len(found)) == ((*PEOPLE, "n007"), "pet", 3)
    assert counted["texts embedded"] == 1
    assert counted["collections"] == 0
    assert counted["statements"] < 40


def test_a_filter_reads_each_item_once(store: HybridStore, counted: Counter[str]) -> None:
    found = store.search(PEOPLE, query="ferret", filter={"even": False}, limit=100)
    assert len(found) == MANY / 2
    assert counted["texts embedded"] == 1
    assert counted["collections"] == 0
    assert counted["statements"] < 3 * MANY


WORDS = st.lists(st.sampled_from("garden violin kumquat Oslo plinth ferret zinc tea".split()), min_size=1, max_size=4)  # noqa: SIM905


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), WORDS, WORDS), min_size=1, max_size=12),
    query=WORDS,
    limit=st.integers(1, 8),
)
def test_it_finds_what_a_search_of_every_namespace_finds(
    store: HybridStore, items: list[tuple[int, int, list[str], list[str]]], query: list[str], limit: int
) -> None:
    prefix = ("random", str(abs(hash(repr(items)))))
    puts = [
        PutOp((*prefix, f"n{number}"), f"k{key}", {"text": " ".join(text), "aside": " ".join(aside)})
        for number, key, text, aside in items
    ]
    store.batch(puts)
    every = {
        (item.namespace, item.key): item.score
        for number in range(6)
        for item in store.search((*prefix, f"n{number}"), query=" ".join(query), limit=100)
    }
    best = sorted((score for score in every.values() if score is not None), reverse=True)
    found = store.search(prefix, query=" ".join(query), limit=limit)
    assert [item.score for item in found] == pytest.approx(best[:limit])
    # A product of other rows is rounded otherwise.
    assert all(item.score == pytest.approx(every[item.namespace, item.key]) for item in found)
