"""What every store of LangGraph does, asked of ours and of its own `InMemoryStore` alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)

from tests.integrations.langgraph.conftest import MakeStore

DOCS = ("docs", "user1")


def keys(found: Any) -> list[str]:
    return sorted(item.key for item in found)


def test_what_was_put_comes_back(make_store: MakeStore) -> None:
    store = make_store()
    value = {"title": "Zoë 🦦", "tags": ["a", 1, None, {"deep": [True, 2.5]}], "empty": {}, "nul": "a\x00b"}
    store.put(DOCS, "doc1", value)
    item = store.get(DOCS, "doc1")
    assert isinstance(item, Item)
    assert (item.namespace, item.key, item.value) == (DOCS, "doc1", value)
    assert item.created_at.tzinfo is not None and item.created_at <= item.updated_at
    assert store.get(DOCS, "other") is None
    assert store.get(("docs",), "doc1") is None
    assert store.get(("docs", "user1", "below"), "doc1") is None


def test_the_last_put_counts(make_store: MakeStore) -> None:
    store = make_store()
    store.put(DOCS, "doc1", {"title": "old", "extra": 1})
    store.put(DOCS, "doc1", {"title": "new"})
    item = store.get(DOCS, "doc1")
    assert item is not None and item.value == {"title": "new"}
    assert len(store.search(DOCS)) == 1


def test_a_deleted_item_is_gone(make_store: MakeStore) -> None:
    store = make_store()
    store.put(DOCS, "doc1", {"title": "a rare otter"})
    store.put(DOCS, "doc2", {"title": "a ferret"})
    store.delete(DOCS, "doc1")
    store.delete(DOCS, "never there")
    assert store.get(DOCS, "doc1") is None
    assert keys(store.search(DOCS, query="otter")) == keys(store.search(DOCS)) == ["doc2"]
    store.put(DOCS, "doc1", {"title": "back"})
    assert keys(store.search(DOCS)) == ["doc1", "doc2"]


def test_odd_keys_and_namespaces_keep_apart(make_store: MakeStore) -> None:
    store = make_store()
    namespaces = [
        ("a", "b"),
        ("a/b",),
        ("a", "b "),
        (" a", "b"),
        ("A", "b"),
        ("a%2Fb",),
        ("ü", "日本語"),
        ("\\", "tab\t"),
        ("x" * 300,),
        ("x" * 299 + "y",),
        ("*",),
        ("a_", "b"),
    ]
    for number, namespace in enumerate(namespaces):
        for key in ("k", "K", "k/../k", " k", "", "🦦" * 100, 'it\'s "q"'):
            store.put(namespace, key, {"n": number, "key": key})
    for number, namespace in enumerate(namespaces):
        for key in ("k", "K", "k/../k", " k", "", "🦦" * 100, 'it\'s "q"'):
            item = store.get(namespace, key)
            assert item is not None and item.value == {"n": number, "key": key}
        assert {item.namespace for item in store.search(namespace, limit=100)} == {namespace}
    assert store.list_namespaces() == sorted(namespaces)


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("",), ("langgraph", "x"), ("a", 1)])
def test_a_namespace_that_is_none_is_refused(make_store: MakeStore, namespace: Any) -> None:
    store = make_store()
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {"a": 1})


def test_a_prefix_finds_what_is_below(make_store: MakeStore) -> None:
    store = make_store()
    for namespace in [("a",), ("a", "b"), ("a", "b", "c"), ("ab",), ("b", "a")]:
        store.put(namespace, "k", {"at": "/".join(namespace)})
    assert sorted(item.value["at"] for item in store.search(("a",))) == ["a", "a/b", "a/b/c"]
    assert sorted(item.value["at"] for item in store.search(("a", "b"))) == ["a/b", "a/b/c"]
    assert sorted(item.value["at"] for item in store.search(("a",), query="a/b c")) == ["a", "a/b", "a/b/c"]
    assert len(store.search(())) == 5
    assert store.search(("nobody",)) == store.search(("nobody",), query="a") == []


def test_limit_and_offset_page(make_store: MakeStore) -> None:
    store = make_store()
    for number in range(12):
        store.put(DOCS, f"doc{number:02}", {"text": f"otter number {number}", "even": number % 2 == 0})
    assert len(store.search(DOCS)) == 10
    for options in ({}, {"query": "otter"}, {"filter": {"even": True}}, {"query": "otter", "filter": {"even": True}}):
        whole = store.search(DOCS, limit=100, **options)
        assert len(whole) == (6 if "filter" in options else 12)
        paged = [item for offset in range(0, 12, 5) for item in store.search(DOCS, limit=5, offset=offset, **options)]
        assert [item.key for item in paged] == [item.key for item in whole]
    assert store.search(DOCS, limit=5, offset=12) == store.search(DOCS, query="otter", limit=5, offset=12) == []


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"kind": "note"}, ["a", "b"]),
        ({"kind": "note", "stars": 5}, ["b"]),
        ({"stars": {"$eq": 5}}, ["b", "c"]),
        ({"stars": {"$ne": 5}}, ["a"]),
        ({"stars": {"$gt": 3}}, ["b", "c"]),
        ({"stars": {"$gte": 3, "$lt": 5}}, ["a"]),
        ({"stars": {"$lte": 5}}, ["a", "b", "c"]),
        ({"author": {"name": "Ana"}}, ["c"]),
        ({"author": {"name": {"$ne": "Ana"}, "age": 3}}, []),
        ({"tags": ["x", "y"]}, ["b"]),
        ({"tags": ["x"]}, []),
        ({"missing": None}, ["a", "b", "c"]),
        ({"kind": None}, []),
        ({}, ["a", "b", "c"]),
    ],
)
def test_filters(make_store: MakeStore, filter: dict[str, Any], expected: list[str]) -> None:
    store = make_store()
    store.put(DOCS, "a", {"kind": "note", "stars": 3})
    store.put(DOCS, "b", {"kind": "note", "stars": 5, "tags": ["x", "y"]})
    store.put(DOCS, "c", {"kind": "mail", "stars": 5.0, "author": {"name": "Ana", "age": 3}})
    assert keys(store.search(DOCS, filter=filter)) == expected
    assert keys(store.search(DOCS, filter=filter, query="mail of Ana")) == expected
    assert keys(store.search((), filter=filter, limit=2)) == sorted(expected)[:2] or len(expected) > 2


def test_an_unknown_operator_is_refused(make_store: MakeStore) -> None:
    store = make_store()
    store.put(DOCS, "a", {"stars": 3})
    with pytest.raises(ValueError, match="operator"):
        store.search(DOCS, filter={"stars": {"$like": 3}})


def test_the_nearest_come_first_with_their_scores(make_store: MakeStore) -> None:
    store = make_store(fields=["text"])
    store.put(DOCS, "otter", {"text": "the otter swims in the river", "noise": "ferret ferret"})
    store.put(DOCS, "ferret", {"text": "the ferret sleeps in the kitchen"})
    store.put(("docs", "user2"), "river", {"text": "river river"})
    found = store.search(("docs",), query="otter river")
    assert all(isinstance(item, SearchItem) for item in found)
    assert found[-1].key == "ferret"
    scores = [item.score for item in found]
    assert None not in scores and scores == sorted(scores, reverse=True)
    assert store.search(DOCS, query="the ferret sleeps in the kitchen")[0].score == pytest.approx(1.0, abs=1e-5)
    assert all(item.score is None for item in store.search(DOCS))


def test_a_changed_text_is_found_by_its_new_words_alone(make_store: MakeStore) -> None:
    store = make_store(fields=["text"])
    store.put(DOCS, "a", {"text": "aardvark"})
    store.put(DOCS, "b", {"text": "bumblebee"})
    before = {item.key: item.score for item in store.search(DOCS, query="aardvark")}
    store.put(DOCS, "a", {"text": "caterpillar"})
    after = {item.key: item.score for item in store.search(DOCS, query="aardvark")}
    assert before["a"] == pytest.approx(1.0, abs=1e-5) and after["a"] < 0.5
    assert store.search(DOCS, query="caterpillar")[0].key == "a"


def test_each_text_of_an_item_is_found_for_itself(make_store: MakeStore) -> None:
    store = make_store(fields=["key0", "key1", "key3"])
    store.put(DOCS, "doc1", {"key1": "xylophone", "key2": "yesterday", "key3": "zeppelin"})
    store.put(DOCS, "doc2", {"key0": "umbrella", "key1": "volcano", "key2": "walrus", "key3": "xylophone"})
    both = store.search(DOCS, query="xylophone")
    assert keys(both) == ["doc1", "doc2"]
    assert both[0].score == pytest.approx(both[1].score) == pytest.approx(1.0, abs=1e-5)
    first, second = store.search(DOCS, query="umbrella")
    assert first.key == "doc2" and first.score > 0.9 > second.score
    assert all(item.score < 0.9 for item in store.search(DOCS, query="walrus"))


def test_an_operation_chooses_its_own_fields(make_store: MakeStore) -> None:
    store = make_store(fields=["key0"])
    store.put(DOCS, "doc1", {"key0": "umbrella", "key1": "volcano"}, index=["key1"])
    store.put(DOCS, "doc2", {"key0": "walrus", "list": [{"t": "xylophone"}, {"t": "zeppelin"}]}, index=["list[*].t"])
    store.put(DOCS, "doc3", {"key0": "xylophone"}, index=False)
    assert store.search(DOCS, query="volcano")[0].key == "doc1"
    for word in ("xylophone", "zeppelin"):
        best = store.search(DOCS, query=word)[0]
        assert best.key == "doc2" and best.score == pytest.approx(1.0, abs=1e-5)
    scores = {item.key: item.score for item in store.search(DOCS, query="walrus umbrella")}
    assert scores["doc3"] is None and scores["doc1"] < 0.9 and scores["doc2"] < 0.9
    assert store.get(DOCS, "doc3") is not None


def test_fewer_texts_leave_no_old_ones(make_store: MakeStore) -> None:
    store = make_store(fields=["notes[*]"])
    store.put(DOCS, "a", {"notes": ["umbrella", "volcano", "walrus"]})
    store.delete(DOCS, "a")
    store.put(DOCS, "a", {"notes": ["zeppelin"]})
    assert store.search(DOCS, query="zeppelin")[0].score == pytest.approx(1.0, abs=1e-5)
    assert store.search(DOCS, query="volcano")[0].score < 0.5


NAMESPACES = [
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "b", "f"),
    ("a", "c", "f"),
    ("b", "a", "f"),
    ("users", "123"),
    ("users", "456", "settings"),
]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, NAMESPACES),
        ({"prefix": ("a", "b")}, NAMESPACES[:4]),
        ({"prefix": ("a", "b"), "max_depth": 3}, [("a", "b", "c"), ("a", "b", "d"), ("a", "b", "f")]),
        ({"suffix": ("f",)}, NAMESPACES[3:6]),
        ({"prefix": ("a",), "suffix": ("f",)}, NAMESPACES[3:5]),
        ({"prefix": ("a", "*", "f")}, NAMESPACES[3:5]),
        ({"prefix": ("*", "456")}, NAMESPACES[7:]),
        ({"suffix": ("*", "f")}, NAMESPACES[3:6]),
        ({"suffix": ("d", "*")}, NAMESPACES[1:3]),
        ({"max_depth": 1}, [("a",), ("b",), ("users",)]),
        ({"limit": 2}, NAMESPACES[:2]),
        ({"limit": 3, "offset": 6}, NAMESPACES[6:]),
        ({"max_depth": 2, "limit": 2, "offset": 1}, [("a", "c"), ("b", "a")]),
        ({"prefix": ("nobody",)}, []),
        ({"prefix": ("users", "123", "deeper")}, []),
    ],
)
def test_listing_namespaces(make_store: MakeStore, options: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    store = make_store()
    for namespace in reversed(NAMESPACES):
        store.put(namespace, "k", {"a": 1})
    assert store.list_namespaces(**options) == expected


def test_a_batch_answers_in_order_from_what_was_there_before(make_store: MakeStore) -> None:
    store = make_store()
    store.put(DOCS, "old", {"n": 1})
    results = store.batch(
        [
            PutOp(DOCS, "old", {"n": 2}),
            GetOp(DOCS, "old"),
            PutOp(DOCS, "new", {"n": 3}),
            GetOp(DOCS, "new"),
            SearchOp(DOCS),
            PutOp(DOCS, "new", {"n": 4}),
            ListNamespacesOp((MatchCondition("prefix", ("docs",)),)),
            PutOp(DOCS, "new", {"n": 5}),
            PutOp(DOCS, "brief", {"n": 6}),
            PutOp(DOCS, "brief", None),
        ]
    )
    assert [results[n] for n in (0, 2, 3, 5, 7, 8, 9)] == [None] * 7
    assert results[1].value == {"n": 1}  # type: ignore[union-attr]
    assert [item.value for item in results[4]] == [{"n": 1}]  # type: ignore[union-attr]
    assert results[6] == [DOCS]
    assert {item.key: item.value for item in store.search(DOCS)} == {"old": {"n": 2}, "new": {"n": 5}}
    assert store.batch([]) == []


async def test_the_asynchronous_face_is_the_same(make_store: MakeStore) -> None:
    store = make_store(fields=["text"])
    await asyncio.gather(*(store.aput(DOCS, f"k{n}", {"text": f"otter {n}", "n": n}) for n in range(8)))
    assert (await store.aget(DOCS, "k3")).value["n"] == 3  # type: ignore[union-attr]
    assert len(await store.asearch(DOCS, query="otter", filter={"n": {"$gte": 5}})) == 3
    assert await store.alist_namespaces(prefix=("docs",)) == [DOCS]
    await store.adelete(DOCS, "k3")
    got, missing = await store.abatch([GetOp(DOCS, "k2"), GetOp(DOCS, "k3")])
    assert got.value["n"] == 2 and missing is None  # type: ignore[union-attr]
