"""Mem0's calls, as its documentation and its users write them, with the shapes that they read."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.evaluate import holds
from hybridmem.core.filters.parse import parse
from hybridmem.integrations.mem0 import AsyncMemory, Memory
from hybridmem.integrations.mem0.filters import translated
from hybridmem.models.fake import FakeModel

CHAT = [
    {"role": "system", "content": "You are a travel agent."},
    {"role": "user", "content": "Ana Brito lives in Porto.", "name": "ana"},
    {"role": "assistant", "content": "Porto has fine bridges."},
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing", vectors="memory") as memory:
        yield memory


@pytest.fixture
def m(folder: HybridMemory) -> Memory:
    return Memory(memory=folder)


def texts(result: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [item["memory"] for item in result["results"]]


def test_the_calls_of_a_mem0_user(m: Memory, folder: HybridMemory) -> None:
    told = m.add(CHAT, user_id="ana", metadata={"category": "places"})
    assert [set(item) for item in told["results"]] == [{"id", "memory", "event"}] * 2
    assert [(item["memory"], item["event"]) for item in told["results"]] == [
        ("Ana Brito lives in Porto.", "ADD"),
        ("Porto has fine bridges.", "ADD"),
    ]
    id = told["results"][0]["id"]

    found = m.search("Where does Ana Brito live?", user_id="ana", limit=1)["results"][0]
    assert set(found) >= {"id", "memory", "hash", "metadata", "score", "created_at", "updated_at", "user_id"}
    assert (found["id"], found["memory"], found["user_id"]) == (id, "Ana Brito lives in Porto.", "ana")
    assert found["metadata"] == {"category": "places"}
    assert (found["role"], found["actor_id"]) == ("user", "ana")
    assert 0 <= found["score"] <= 1
    assert len(found["hash"]) == 32
    assert datetime.fromisoformat(found["created_at"]).tzinfo is not None
    assert m.search("Where does Ana Brito live?", filters={"user_id": "ana"}, top_k=1)["results"] == [found]
    got = m.get(id)
    assert got == {**found, "score": None}
    assert m.get_all(user_id="ana")["results"][0] == {key: value for key, value in got.items() if key != "score"}
    assert texts(m.get_all(filters={"user_id": "ana"})) == ["Ana Brito lives in Porto.", "Porto has fine bridges."]

    assert m.update(id, data="Ana Brito lives in Lisbon.") == {"message": "Memory updated successfully!"}
    assert texts(m.search("Where does Ana Brito live?", user_id="ana", limit=1)) == ["Ana Brito lives in Lisbon."]
    past = m.history(id)
    assert [(line["event"], line["old_memory"], line["new_memory"]) for line in past] == [
        ("ADD", None, "Ana Brito lives in Porto."),
        ("UPDATE", "Ana Brito lives in Porto.", "Ana Brito lives in Lisbon."),
    ]
    assert set(past[0]) == {
        *("id", "memory_id", "old_memory", "new_memory", "event", "created_at", "updated_at", "is_deleted"),
        *("actor_id", "role"),
    }
    assert {line["memory_id"] for line in past} == {id}
    assert (m.get(id) or {})["updated_at"] > found["updated_at"]

    assert m.delete(id) == {"message": "Memory deleted successfully!"}
    assert m.get(id) is None
    assert [(line["event"], line["new_memory"], line["is_deleted"]) for line in m.history(id)][-1] == (
        "DELETE",
        None,
        True,
    )
    assert not any("Lisbon" in str(line) for line in m.history(id)), "erased for good"
    assert m.delete_all(user_id="ana") == {"message": "Memories deleted successfully!"}
    assert m.get_all(user_id="ana") == {"results": []}
    assert folder.ledger.namespaces() == []


def test_infer_off_tells_the_role(m: Memory) -> None:
    (user, assistant) = m.add(CHAT, user_id="ana", infer=False)["results"]
    assert (user["role"], user["actor_id"], assistant["role"], assistant["actor_id"]) == (
        "user",
        "ana",
        "assistant",
        None,
    )
    assert m.add("I row.", agent_id="coach")["results"][0]["memory"] == "I row."
    assert m.add({"role": "user", "content": "I swim."}, run_id="r1")["results"][0]["memory"] == "I swim."
    assert m.add([{"role": "system", "content": "Be kind."}], user_id="ana") == {"results": []}


def test_owners_are_namespaces_and_nothing_crosses(m: Memory, folder: HybridMemory) -> None:
    m.add("The code is 1111.", user_id="ana", agent_id="clerk", run_id="monday")
    m.add("The code is 2222.", user_id="ana", agent_id="coach", run_id="tuesday")
    bobs = m.add("The code is 3333.", user_id="bob")["results"][0]["id"]
    m.add("The code is 4444.", agent_id="clerk")
    m.add("The code is 5555.", run_id="monday")
    assert folder.ledger.namespaces() == [("agents", "clerk"), ("runs", "monday"), ("users", "ana"), ("users", "bob")]
    every = {
        ("ana", None, None): {"1111", "2222"},
        ("ana", "clerk", None): {"1111"},
        ("ana", None, "tuesday"): {"2222"},
        ("ana", "clerk", "tuesday"): set(),
        ("bob", None, None): {"3333"},
        ("bob", "clerk", None): set(),
        (None, "clerk", None): {"4444"},
        (None, "clerk", "monday"): set(),
        (None, None, "monday"): {"5555"},
        ("nobody", None, None): set(),
    }
    for (user, agent, run), codes in every.items():
        owner = {"user_id": user, "agent_id": agent, "run_id": run}
        filters = {name: value for name, value in owner.items() if value is not None}
        for result in (
            m.search("What is the code?", **owner),  # type: ignore[arg-type]
            m.search("What is the code?", filters=filters),
            m.get_all(**owner),  # type: ignore[arg-type]
            m.get_all(filters=filters),
        ):
            assert {text[-5:-1] for text in texts(result)} == codes, owner
            assert all(filters.items() <= item.items() for item in result["results"])
    m.delete_all(user_id="ana", agent_id="clerk")
    assert texts(m.get_all(user_id="ana")) == ["The code is 2222."]
    m.delete_all(agent_id="clerk")
    assert texts(m.get_all(user_id="bob")) == ["The code is 3333."]
    assert m.get(bobs.replace("bob", "ana")) is None
    m.reset()
    assert folder.ledger.namespaces() == []


def test_an_agent_and_a_run_are_deleted_whosever_they_are(m: Memory) -> None:
    m.add("One.", user_id="ana", agent_id="clerk", run_id="monday")
    m.add("Two.", user_id="ana", run_id="tuesday")
    m.add("Three.", user_id="bob", agent_id="coach", run_id="monday")
    m.add("Four.", agent_id="clerk", run_id="monday")
    m.add("Five.", agent_id="clerk")
    m.add("Six.", run_id="monday")
    m.add("Seven.", user_id="bob")

    def left() -> set[str]:
        owners = ({"user_id": "ana"}, {"user_id": "bob"}, {"agent_id": "clerk"}, {"run_id": "monday"})
        return {text for owner in owners for text in texts(m.get_all(filters=owner))}

    m.delete_all(agent_id="clerk", run_id="monday")
    assert left() == {"Two.", "Three.", "Five.", "Six.", "Seven."}
    m.delete_all(run_id="monday")
    assert left() == {"Two.", "Five.", "Seven."}
    m.delete_all(user_id="bob", run_id="tuesday")
    m.delete_all(agent_id="clerk")
    assert left() == {"Two.", "Seven."}


def test_metadata_cannot_name_another_owner(m: Memory) -> None:
    m.add("It is mine.", user_id="ana", metadata={"user_id": "bob", "agent_id": "x", "run_id": "y", "mood": "good"})
    (item,) = m.get_all(user_id="ana")["results"]
    assert (item["user_id"], item["metadata"]) == ("ana", {"mood": "good"})
    assert "agent_id" not in item
    assert m.get_all(user_id="bob") == {"results": []}
    assert m.get_all(filters={"user_id": "bob", "OR": [{"user_id": "ana"}, {"mood": "*"}]}) == {"results": []}


@pytest.mark.parametrize("id", ["auth0|12/34", "a:b", "100%", "..", "-", "ünï", "me@example.org", "7", "a\\b"])
def test_any_id_is_one_owner(m: Memory, id: str) -> None:
    stored = m.add("I row.", user_id=id)["results"][0]["id"]
    item = m.get(stored)
    assert item is not None
    assert item["user_id"] == id
    assert m.get_all(user_id=id)["results"][0]["id"] == stored
    m.delete(stored)
    assert m.get_all(user_id=id) == {"results": []}


def test_filters_expiry_threshold_and_limits(m: Memory) -> None:
    for number in range(30):
        m.add(
            f"Box {number} holds screws.",
            user_id="ana",
            metadata={"number": number, "kind": "even" if number % 2 == 0 else "odd"},
        )
    m.add("Box 99 held screws.", user_id="ana", expiration_date="2020-01-01")
    m.add("Box 98 holds screws.", user_id="ana", expiration_date="2999-01-01")

    def numbers(**filters: Any) -> set[int]:
        found = m.search("Which box holds screws?", user_id="ana", top_k=30, filters=filters)
        return {item["metadata"]["number"] for item in found["results"]}

    assert numbers(kind="odd") == set(range(1, 30, 2))
    assert numbers(number={"gte": 27}) == {27, 28, 29}
    assert numbers(AND=[{"kind": "even"}, {"number": {"lt": 5}}]) == {0, 2, 4}
    assert numbers(OR=[{"number": 3}, {"number": {"in": [4, 5]}}]) == {3, 4, 5}
    assert numbers(NOT=[{"kind": "even"}], number={"gt": 26}) == {27, 29}
    assert numbers(kind={"icontains": "OD"}, number={"ne": 1, "lte": 5}) == {3, 5}
    assert len(m.search("Which box?", user_id="ana")["results"]) == 20
    assert len(m.get_all(user_id="ana")["results"]) == 20
    assert len(m.get_all(user_id="ana", limit=100)["results"]) == 31
    assert len(m.get_all(user_id="ana", top_k=100, show_expired=True)["results"]) == 32
    assert texts(m.get_all(user_id="ana", filters={"expiration_date": "*"})) == ["Box 98 holds screws."]
    assert m.search("box", user_id="ana", top_k=0) == {"results": []}
    scores = [item["score"] for item in m.search("Which box holds screws?", user_id="ana", explain=True)["results"]]
    assert scores == sorted(scores, reverse=True)
    kept = m.search("Which box holds screws?", user_id="ana", threshold=scores[3])["results"]
    assert kept and all(item["score"] >= scores[3] for item in kept)
    unrelated = "How tall is the Eiffel tower?"
    assert m.search(unrelated, user_id="ana")["results"]
    assert m.search(unrelated, user_id="ana", threshold=0.3) == {"results": []}


def test_times_are_compared_as_times(m: Memory) -> None:
    m.add("Bought a bicycle", user_id="ana", timestamp="2025-06-25T10:00:00Z")

    def count(**bounds: Any) -> int:
        return len(m.get_all(filters={"user_id": "ana", "created_at": bounds})["results"])

    assert count(gte="2025-06-18", lte="2025-06-25") == 1
    assert count(lt="2025-06-25") == count(gt="2025-06-25") == 0
    assert count(gte="2025-06-25T03:30:00-07:00") == 0
    assert count(gte="2025-06-25T03:00:00-07:00", lte=1750845600) == 1
    m.add("I am travelling", user_id="bob", timestamp=1719792000)
    m.add("I am back", user_id="bob", timestamp=1719792000000)
    made = {item["created_at"] for item in m.get_all(user_id="bob")["results"]}
    assert made == {"2024-07-01T00:00:00+00:00"}


def test_metadata_and_expiry_change_with_a_line_in_the_history(m: Memory) -> None:
    told = m.add("I love tennis", user_id="u1", metadata={"category": "hobbies", "priority": "high"})
    id = told["results"][0]["id"]
    m.update(id, text="I love squash", metadata={})
    m.update(id, metadata={"priority": "low", "user_id": "bob"})
    for wrong in (True, ["a"], "text"):
        with pytest.raises(InvalidInput, match="metadata is a "):
            m.update(id, metadata=wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="metadata is a "):
            m.add("x", user_id="u1", metadata=wrong)  # type: ignore[arg-type]
    m.update(id, expiration_date="2020-01-31")
    assert m.search("squash", user_id="u1")["results"] == m.get_all(user_id="u1")["results"] == []
    (shown,) = m.search("squash", user_id="u1", show_expired=True)["results"]
    assert (shown["expiration_date"], shown["user_id"]) == ("2020-01-31", "u1")
    m.update(id, expiration_date=None)
    (item,) = m.get_all(user_id="u1")["results"]
    assert (item["memory"], item["metadata"]) == ("I love squash", {"category": "hobbies", "priority": "low"})
    assert "expiration_date" not in item
    assert [line["event"] for line in m.history(id)] == ["ADD", "UPDATE", "UPDATE", "UPDATE", "UPDATE"]


def test_expiration_dates_of_earlier_versions_still_count(m: Memory, folder: HybridMemory) -> None:
    memory = folder.at("users/ana")
    memory.add("Old box.", metadata={"expiration_date": "2020-01-01"}, source="mem0")
    memory.add("New box.", metadata={"expiration_date": "2999-01-01"}, source="mem0")
    assert texts(m.get_all(user_id="ana")) == texts(m.search("box", user_id="ana")) == ["New box."]
    assert texts(m.get_all(user_id="ana", filters={"expiration_date": {"gt": "2100-01-01"}})) == ["New box."]
    (item,) = m.get_all(user_id="ana")["results"]
    m.update(item["id"], expiration_date="2021-01-01")
    assert texts(m.get_all(user_id="ana")) == []


def test_a_fact_belongs_to_the_run_and_agent_of_its_source(m: Memory, folder: HybridMemory) -> None:
    m.add("Ana Brito lives in Porto.", user_id="ana", agent_id="clerk", run_id="monday", metadata={"topic": "home"})
    memory = folder.at("users/ana")
    (episode,) = memory.list()
    fact = memory.add_fact("Ana Brito", "lives in", "Porto")
    from dataclasses import replace

    memory.ledger.put_fact(replace(fact, id="fa_2", relation="is at home in", sources=(episode.id,)), replace=False)
    item = m.get("fa_2:users:ana")
    assert item is not None
    assert (item["agent_id"], item["run_id"], item["metadata"]) == ("clerk", "monday", {"topic": "home"})
    found = m.get_all(user_id="ana", agent_id="clerk")["results"]
    assert {each["id"] for each in found} == {f"{episode.id}:users:ana", "fa_2:users:ana"}
    m.delete_all(user_id="ana")
    assert memory.list() == []


def test_bad_calls_are_told_in_one_line(m: Memory) -> None:
    id = m.add("I row.", user_id="ana")["results"][0]["id"]
    calls: list[tuple[Any, str]] = [
        (lambda: m.add("x"), "pass at least one of user_id, agent_id, run_id"),
        (lambda: m.search("x", filters={"kind": "a"}), "pass at least one of user_id"),
        (lambda: m.get_all(), "pass at least one of user_id"),
        (lambda: m.delete_all(), "pass at least one of user_id"),
        (lambda: m.add("x", user_id=" "), "is empty or has a space"),
        (lambda: m.add("x", user_id="a b"), "is empty or has a space"),
        (lambda: m.add("x", user_id="a" * 200), "longer than 128 characters"),
        (lambda: m.add("x", user_id="a\ud800"), "not valid Unicode"),
        (lambda: m.add(7, user_id="ana"), "the messages are neither a text nor messages"),  # type: ignore[arg-type]
        (lambda: m.add("", user_id="ana"), "with words in it"),
        (lambda: m.add("x", user_id="ana", memory_type="semantic"), "pass 'procedural_memory'"),
        (lambda: m.add("x", user_id="ana", expiration_date="soon"), "write it as 2026-12-31"),
        (lambda: m.search("", user_id="ana"), "the query is empty"),
        (lambda: m.search("x", user_id="ana", top_k=-1), "is no number of memories"),
        (lambda: m.search("x", user_id="ana", threshold=2), "2 is not between 0 and 1"),
        (lambda: m.search("x", user_id="ana", threshold="0.5"), "'0.5' is not between 0 and 1"),  # type: ignore[arg-type]
        (lambda: m.search("x", user_id="ana", filters={"user_id": "bob"}), "user_id is given twice"),
        (lambda: m.search("x", user_id="ana", filters={"n": {"near": 1}}), "no known operator 'near'"),
        (lambda: m.search("x", user_id="ana", filters={"n": {"in": 1}}), "needs a list of values"),
        (lambda: m.search("x", user_id="ana", filters={"OR": []}), "the filter OR is no list of filters"),
        (lambda: m.update(id), "pass the new text"),
        (lambda: m.update(id, expiration_date="soon"), "write it as 2026-12-31"),
        (lambda: m.update(id, metadata={"hybridmem.parts": 1}), "is hybridmem's own"),
        (lambda: m.search("x", user_id="ana", filters={"updated_at": "2026-01-01"}), "filter by created_at"),
        (lambda: m.search("x", user_id="ana", filters={"created_at": {"gte": "soon"}}), "'soon' is not a date"),
        (lambda: m.update("ep_0:users:ana", "x"), "Memory with id ep_0:users:ana not found"),
        (lambda: m.delete("nonsense"), "Memory with id nonsense not found"),
        (lambda: m.delete("ep_0:others:ana"), "not found"),
        (lambda: Memory({"hybridmem": {"folder": "x"}}), "'folder' is none of them"),
    ]
    for call, expected in calls:
        with pytest.raises(InvalidInput) as caught:
            call()
        assert expected in str(caught.value)
        assert str(caught.value).isprintable()
        assert isinstance(caught.value, ValueError)
    assert m.get("nonsense") is None
    assert m.history("nonsense") == []
    assert texts(m.get_all(user_id="ana")) == ["I row."]


def test_from_config_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = {"llm": {"provider": "openai"}, "vector_store": {"provider": "qdrant"}}
    with (
        caplog.at_level(logging.WARNING),
        Memory.from_config({**theirs, "hybridmem": {"path": str(tmp_path / "m"), "embedder": "hashing"}}) as memory,
    ):
        memory.add("I row.", user_id="ana", timestamp="2026-03-01")
        assert memory.get_all(user_id="ana")["results"][0]["created_at"] == datetime(2026, 3, 1, tzinfo=UTC).isoformat()
    assert "llm, vector_store" in caplog.text
    monkeypatch.setenv("HYBRIDMEM_DIR", str(tmp_path / "m"))
    with Memory() as memory:
        assert texts(memory.get_all(user_id="ana")) == ["I row."]


def test_the_asynchronous_class_has_the_same_calls(tmp_path: Path) -> None:
    calls = [name for name, each in vars(Memory).items() if inspect.isfunction(each) and not name.startswith("_")]
    for name in set(calls) - {"close"}:
        assert inspect.iscoroutinefunction(getattr(AsyncMemory, name)), name
        assert inspect.signature(getattr(AsyncMemory, name)) == inspect.signature(getattr(Memory, name))

    async def live() -> None:
        config = {"hybridmem": {"path": str(tmp_path / "m"), "embedder": "hashing"}}
        async with AsyncMemory.from_config(config) as memory:
            users = [f"user{number}" for number in range(8)]
            await asyncio.gather(*(memory.add(f"I am {user}.", user_id=user) for user in users))
            found = await asyncio.gather(*(memory.search("Who am I?", user_id=user) for user in users))
            assert [texts(result) for result in found] == [[f"I am {user}."] for user in users]

    asyncio.run(live())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"a": 1}, True),
        ({"a": 2}, False),
        ({"missing": "*"}, False),
        ({"a": "*"}, True),
        ({"a": {"gt": "x"}}, False),
        ({"missing": {"gt": 0}}, False),
        ({"missing": {"nin": [1]}}, True),
        ({"tags": {"contains": "x"}}, True),
        ({"word": {"contains": "es"}}, True),
        ({"word": {"icontains": "TEST"}}, True),
        ({"a": {"contains": "1"}}, False),
        ({"NOT": [{"a": 1, "word": "no"}]}, True),
        ({"NOT": [{"a": 1}, {"word": "no"}]}, False),
        ({"AND": [{"OR": [{"a": 2}, {"a": 1}]}, {"NOT": [{"a": 3}]}]}, True),
        ({"AND": []}, True),
        ({"NOT": [{"AND": []}]}, False),
        ({"tags": "x"}, True),
        ({"tags": {"in": {"x"}}}, True),
        ({"tags": {"nin": ["x"]}}, False),
        ({"score": {"gte": 7}}, True),
        ({"id": "ep_1"}, False),
        ({"user_id": "ana"}, True),
        ({"user_id": {"ne": "ana"}}, False),
    ],
)
def test_filters(filters: dict[str, Any], expected: bool) -> None:
    values = {"kind": "episode", "metadata": {"a": 1, "tags": ["x"], "word": "test", "score": 7}}
    assert holds(parse(translated(filters, ("users", "ana"))), values) is expected
