"""Every surface, asked with a random filter in its own words, finds what the evaluator admits among plain records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

from hybridmem import HybridMemory
from hybridmem.cli.app import app
from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.filters.evaluate import admits
from hybridmem.core.filters.parse import parse
from hybridmem.core.policy import MemoryPolicy
from hybridmem.core.records import Episode, Fact, has_expired, new_id
from hybridmem.models.fake import FakeModel
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.filter_samples import Stored, filters, memories, store

FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
QUERY = "What was said, of which value?"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[HybridMemory]:
    # The SQL ledger is compared with this one in its own suite.
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing", ledger="memory") as memory:
        yield memory


def filled(
    folder: HybridMemory, stored: list[Stored], namespace: str = ""
) -> tuple[HybridMemory, list[Episode | Fact]]:
    """(a new namespace with the drawn memories, what a search may show of them) by the plainest twin."""
    tag = new_id("run")
    memory = folder.at(namespace or f"runs/{tag}")
    twin = InMemoryLedger()
    shown = [replace(each, expires=None if each.expires != 1 else 1) for each in stored]
    for ledger in (memory.ledger, twin):
        store(ledger, memory.namespace, shown, tag)
    twin.expire_due(memory.namespace, utc_now())
    every: list[Episode | Fact] = [*twin.episodes(memory.namespace), *twin.facts(memory.namespace)]
    return memory, [each for each in every if not each.quarantined and not has_expired(each, utc_now())]


def admitted(memory: HybridMemory, records: list[Episode | Fact], written: Any) -> set[str]:
    """The evaluator, over records one by one."""
    wanted = parse(written)
    found = set()
    for record in records:
        sources = memory.ledger.get_many(memory.namespace, record.sources).values() if isinstance(record, Fact) else ()
        if admits(wanted, record, [each for each in sources if isinstance(each, Episode)]):
            found.add(record.id)
    return found


def plain(value: Any) -> Any:
    """A filter as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


@FEW
@given(stored=memories(), written=filters())
def test_search_list_and_deletion(folder: HybridMemory, stored: list[Stored], written: dict[str, Any]) -> None:
    memory, records = filled(folder, stored)
    expected = admitted(memory, records, written)
    assert {hit.id for hit in memory.search(QUERY, limit=100, filters=written)} == expected
    listed = [each.id for each in memory.list(limit=100, filters=written)]
    assert expected <= set(listed)
    if parse(written) == parse({}):
        with pytest.raises(InvalidInput, match="would delete every memory"):
            memory.delete_many(written)
        return
    planned = memory.delete_many(written, dry_run=True)
    assert set(listed) <= set(planned.ids) and planned.removed == {}
    assert [each.id for each in memory.list(limit=100, filters=written)] == listed
    receipt = memory.delete_many(written)
    assert receipt.ids == planned.ids and bool(receipt.removed) is bool(planned.ids)
    for id in (*receipt.ids, *receipt.facts):
        with pytest.raises(UnknownMemory):
            memory.get(id)
    assert memory.delete_many(written).ids == ()


@FEW
@given(stored=memories(), written=filters())
def test_rest_and_mcp(folder: HybridMemory, stored: list[Stored], written: dict[str, Any]) -> None:
    from hybridmem.server.mcp.application import application
    from hybridmem.server.schemas import Search

    memory, records = filled(folder, stored)
    expected, written = admitted(memory, records, written), plain(written)
    body = Search.model_validate_json(json.dumps({"query": QUERY, "limit": 100, "filters": written}))
    assert {hit.id for hit in memory.search(body.query, limit=body.limit, filters=body.filters)} == expected
    called = application(memory).call_tool("recall", {"query": QUERY, "limit": 100, "filters": written})
    result: Any = asyncio.run(called)
    assert {each["id"] for each in result.structured_content["memories"]} == expected


@settings(FEW, max_examples=5)
@given(stored=memories(), written=filters())
def test_the_command_line(tmp_path: Path, stored: list[Stored], written: dict[str, Any]) -> None:
    name = new_id("m")
    with HybridMemory.open(tmp_path / name, model=FakeModel(), embedder="hashing") as folder:
        memory, records = filled(folder, stored, "default")
        expected = admitted(memory, records, written)
    common = ["--memory", str(tmp_path / name), "--embedder", "hashing", "--json"]
    arguments = ["search", QUERY, "--limit", "100", "--filter", json.dumps(plain(written)), *common]
    result = CliRunner().invoke(app, arguments)
    assert {hit["id"] for hit in json.loads(result.stdout)["hits"]} == expected


@FEW
@given(stored=memories(), written=filters())
def test_langchain(folder: HybridMemory, stored: list[Stored], written: dict[str, Any]) -> None:
    from hybridmem.integrations.langchain import HybridChatMessageHistory, HybridRetriever

    memory, records = filled(folder, stored)
    retriever = HybridRetriever(memory=memory, k=100, filters=written)
    assert {document.id for document in retriever.invoke(QUERY)} == admitted(memory, records, written)
    said = [each for each in records if isinstance(each, Episode) and each.session == "a"]
    history = HybridChatMessageHistory(memory, "a", filters=written)
    texts = sorted(each.text for each in said if each.id in admitted(memory, said, written))
    assert sorted(str(message.content) for message in history.messages) == texts


def dollars(written: dict[str, Any], place: str) -> dict[str, Any]:
    """A filter on metadata alone in LangChain's and LangGraph's words."""
    renamed: dict[str, Any] = {}
    for name, wanted in written.items():
        if name in ("and", "or", "not"):
            inner = [dollars(each, place) for each in (wanted if isinstance(wanted, list) else [wanted])]
            renamed[f"${name}"] = inner
        else:
            operators = {f"${operator}": value for operator, value in wanted.items()}
            renamed[name.removeprefix(place)] = operators
    return renamed


def on_metadata(written: dict[str, Any]) -> bool:
    return all(
        all(on_metadata(each) for each in (wanted if isinstance(wanted, list) else [wanted]))
        if name in ("and", "or", "not")
        else name.startswith("metadata.")
        for name, wanted in written.items()
    )


metadata_filters = filters().filter(on_metadata)


@FEW
@given(stored=memories(), written=metadata_filters)
def test_the_stores_of_langchain_and_langgraph(
    folder: HybridMemory, stored: list[Stored], written: dict[str, Any]
) -> None:
    from hybridmem.integrations.langchain import HybridVectorStore
    from hybridmem.integrations.langgraph import HybridStore

    memory, records = filled(folder, stored)
    found = HybridVectorStore(memory).similarity_search(QUERY, 100, filter=dollars(written, "metadata."))
    assert {document.id for document in found} == admitted(memory, records, written)
    values = HybridStore(memory)
    for number, each in enumerate(stored):
        values.put(("docs",), str(number), {**each.metadata, "words": f"said {number}"})
    items = values.search(("docs",), filter=dollars(written, "metadata."), limit=100)
    kept = [Episode(str(n), ("a",), "said", metadata=each.metadata) for n, each in enumerate(stored)]
    assert {item.key for item in items} == admitted(memory, list(kept), written)


@FEW
@given(stored=memories(), written=metadata_filters)
def test_mem0(folder: HybridMemory, stored: list[Stored], written: dict[str, Any]) -> None:
    from hybridmem.integrations.mem0 import Memory

    user = new_id("user")
    memory, records = filled(folder, stored, f"users/{user}")
    theirs = upper(written)
    expected = {f"{id}:users:{user}" for id in admitted(memory, records, written)}
    m = Memory(memory=folder)
    search = m.search(QUERY, user_id=user, top_k=100, filters=theirs)["results"]
    assert {item["id"] for item in search} == expected
    listed = m.get_all(user_id=user, top_k=100, filters=theirs)["results"]
    current = {f"{each.id}:users:{user}" for each in memory.list(limit=100) if not each.superseded_by}
    assert {item["id"] for item in listed} == expected & current


def upper(written: dict[str, Any]) -> dict[str, Any]:
    """A filter on metadata alone in Mem0's words."""
    renamed: dict[str, Any] = {}
    for name, wanted in written.items():
        if name in ("and", "or", "not"):
            renamed[name.upper()] = [upper(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
        else:
            renamed[name.removeprefix("metadata.")] = wanted
    return renamed


@pytest.mark.parametrize("call", ["search", "list", "delete_many"])
def test_every_call_names_the_mistake(folder: HybridMemory, call: str) -> None:
    calls: dict[str, Callable[[Any], Any]] = {
        "search": lambda written: folder.search("x", filters=written),
        "list": lambda written: folder.list(filters=written),
        "delete_many": folder.delete_many,
    }
    for written in ({"rolle": "user"}, {"role": {"near": 1}}, {"at": "soon"}, {"metadata.n": {"in": 1}}):
        with pytest.raises(InvalidInput) as caught:
            calls[call](written)
        assert str(caught.value).isprintable()


def test_a_named_risk_is_the_answers_and_feedback_reaches_them(folder: HybridMemory) -> None:
    folder.add("The shop in Faro opens at nine.")
    assert folder.explain("When does the shop in Faro open?").risk == 0.1
    folder.set_policy(risk=0.01)
    told = folder.feedback("When does the shop in Faro open?", "nine")
    explained = folder.explain("When does the shop in Faro open?")
    assert (told.risk, explained.risk, explained.feasible) == (0.01, 0.01, False)
    assert explained.why


def test_a_policy_holds_for_what_says_nothing_else(folder: HybridMemory) -> None:
    assert folder.policy == MemoryPolicy()
    folder.set_policy(half_life_days=30, expire_after_days={"web": 30})
    (page,) = folder.add("The shop in Faro opens at nine.", trust="web", at="2020-01-01")
    (own,) = folder.add("The shop in Faro opens at ten.", at="2020-01-01")
    (longer,) = folder.add("The shop in Faro opens at six.", trust="web", expires_at="2999-01-01")
    assert own.expires_at is None and longer.expires_at is not None and longer.expires_at.year == 2999
    assert page.expires_at == page.recorded_at + timedelta(days=30)
    hits = folder.search("When does the shop in Faro open?")
    assert {hit.id for hit in hits} == {page.id, own.id, longer.id}
    assert {hit.id: hit.why["decay"] < -1.9 for hit in hits} == {page.id: True, own.id: True, longer.id: False}
    assert folder.at("users/other").policy == MemoryPolicy()
    folder.set_policy()
    assert "decay" not in folder.search("When does the shop in Faro open?")[0].why


def test_memories_expire_edits_bring_them_back_and_the_history_tells(folder: HybridMemory) -> None:
    (episode,) = folder.add("Ana lives in Porto.", tags=["home"], metadata={"tags": ["city"]}, expires_at="2020-01-01")
    assert episode.tags == ("city", "home")
    fact = folder.add_fact("Ana", "keeps", "a ferret", expires_at="2020-01-01", tags=["pet"])
    assert folder.search("Where does Ana live?") == []
    assert [hit.id for hit in folder.search("Where does Ana live?", include_expired=True)] == [episode.id]
    assert [event.event for event in folder.history(fact.id)] == ["added", "expired"]
    assert folder.answer("Where does Ana live?").route == "abstain"
    assert folder.dream(dry_run=True).new_facts == 0
    folder.update(episode.id, expires_at=None, metadata={"mood": "good"}, tags=["new"])
    assert [hit.id for hit in folder.search("Where does Ana live?", filters={"tags": "new"})] == [episode.id]
    folder.update(episode.id, "Ana lives in Faro.", metadata={"mood": None})
    (event,) = [each for each in folder.history(episode.id) if "expires_at" in each.changes]
    assert event.changes["expires_at"] == ["2020-01-01T00:00:00+00:00", None]
    with pytest.raises(InvalidInput, match="nothing to change"):
        folder.update(episode.id)
    with pytest.raises(InvalidInput, match=r"'hybridmem\.parts' is hybridmem's own"):
        folder.update(episode.id, metadata={"hybridmem.parts": []})
    for tags in ("home", [""], [7]):
        with pytest.raises(InvalidInput, match="tag"):
            folder.add("x", tags=tags)  # type: ignore[arg-type]


def test_what_has_expired_is_not_trained(folder: HybridMemory) -> None:
    folder.add("Ana Brito lives in Porto.", expires_at="2020-01-01")
    folder.add("Ben Costa lives in Faro.")
    assert folder.dream().status in ("promoted", "rejected", "nothing")
    assert {fact.object for fact in folder.ledger.facts(folder.namespace, include_retired=True)} == {"Faro"}
