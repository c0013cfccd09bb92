"""The facade over a real folder: ledger, indexes and router together, with the hashing embedder and the fake model."""

from __future__ import annotations

import ast
import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hybridmem
from hybridmem.core.errors import (
    EmptyText,
    InvalidDate,
    InvalidEncoding,
    InvalidInput,
    InvalidNamespace,
    UnknownMemory,
)
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.router.routing import PLAIN_TOKENS
from tests import scripts

ANA: Namespace = ("users", "ana")


def opened(folder: Path, namespace: Namespace = ANA) -> HybridMemory:
    return HybridMemory.open(folder / "memory", namespace=namespace, model=FakeModel(), embedder="hashing")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with opened(tmp_path) as memory:
        yield memory


def texts(found: Any) -> list[str]:
    return [each.text for each in found]


# ---- remembering


def test_a_text_keeps_what_is_said_of_it(memory: HybridMemory) -> None:
    (added,) = memory.add(
        "Ana moved to Lisbon.",
        session="s1",
        at="2026-03-01T09:00:00Z",
        metadata={"channel": "chat"},
        trust="web",
        role="tool",
        speaker="Ana",
        source="crawl",
    )
    assert memory.get(added.id) == added
    assert (added.text, added.session, added.speaker) == ("Ana moved to Lisbon.", "s1", "Ana")
    assert (added.trust, added.role, added.source, added.metadata) == ("web", "tool", "crawl", {"channel": "chat"})
    assert added.at == datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "I adopted a ferret."},
        {"role": "user", "content": [{"type": "text", "text": "I adopted a ferret."}]},
        {"type": "human", "data": {"content": "I adopted a ferret."}},
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "HumanMessage"],
            "kwargs": {"content": "I adopted a ferret.", "type": "human"},
        },
    ],
    ids=["openai", "anthropic", "langchain message_to_dict", "langchain dumps"],
)
def test_messages_are_taken_as_each_framework_writes_them(memory: HybridMemory, message: dict[str, Any]) -> None:
    reply = {"role": "assistant", "content": "Congratulations!"}
    asked, answered = memory.add([message, reply], session="s1", at="2026-03-01")
    assert (asked.text, asked.role, asked.trust, asked.session) == ("I adopted a ferret.", "user", "user", "s1")
    assert (answered.role, answered.trust) == ("assistant", "agent")
    assert asked.at == answered.at == datetime(2026, 3, 1, tzinfo=UTC)


def test_what_tools_say_is_never_trusted_as_the_user(memory: HybridMemory) -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "Ana lives on Mars."}
    said, told = memory.add([{"role": "user", "content": [{"type": "text", "text": "I like tea."}, result]}])
    assert (said.trust, told.trust, told.text) == ("user", "tool", "Ana lives on Mars.")


def test_a_bad_batch_adds_nothing(memory: HybridMemory) -> None:
    with pytest.raises(InvalidEncoding):
        memory.add([{"role": "user", "content": "fine"}, {"role": "user", "content": "a\x00b"}])
    with pytest.raises(InvalidInput):
        memory.add([])
    assert memory.list() == []


def test_adding_loads_no_index_and_no_model(memory: HybridMemory) -> None:
    memory.add("Ana moved to Lisbon.")
    assert memory.workspace.resources.opened == set()
    assert {"router", "retrieval"}.isdisjoint(vars(memory.workspace))


def test_nobody_reaches_into_the_private_parts_of_a_memory() -> None:
    package = Path(hybridmem.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno} reads {ast.unparse(node)}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and ast.unparse(node.value).split(".")[-1].removeprefix("_") in ("memory", "workspace")
    ]
    assert found == []


# ---- facts


def test_the_stale_value_is_never_beside_the_current_one(memory: HybridMemory) -> None:
    memory.add_fact("Ana", "lives in", "Oslo", valid_from="2025-01-01")
    assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Oslo."]
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Lisbon."]
    assert texts(memory.search("Where does Ana live?", as_of="2025-12-31")) == ["Ana lives in Oslo."]
    assert texts(memory.search("Where does Ana live?", as_of="2024-12-31")) == []
    old, new = memory.ledger.facts(ANA, include_retired=True)
    assert [event.event for event in memory.history(old.id)] == ["added", "superseded"]
    assert memory.history(old.id)[-1].by == new.id


def test_a_date_without_a_time_means_the_whole_day(memory: HybridMemory) -> None:
    memory.add("Ana moved to Porto.", at="2026-03-01T09:00:00Z")
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2026-03-01T09:00:00Z")
    for day in ("2026-03-01", date(2026, 3, 1)):
        assert set(texts(memory.search("Where does Ana live?", as_of=day))) == {
            "Ana moved to Porto.",
            "Ana lives in Porto.",
        }
    assert memory.search("Where does Ana live?", as_of="2026-03-01T08:00:00Z") == []
    assert memory.search("Where does Ana live?", as_of="2026-02-28") == []


def test_a_month_means_all_its_days(memory: HybridMemory) -> None:
    memory.add_fact("Ivo", "works at", "Acme", valid_from="2020-01", valid_to="2020-07")
    memory.add("Ivo left on the last day.", at="2020-06-30T23:00:00Z")
    assert set(texts(memory.search("Ivo", as_of="2020-06"))) == {"Ivo works at Acme.", "Ivo left on the last day."}
    assert texts(memory.search("Ivo", as_of="2020-05")) == ["Ivo works at Acme."]
    assert texts(memory.search("Ivo", since="2020-06", until="2020-06")) == ["Ivo left on the last day."]
    assert texts(memory.search("Ivo", until="2020-05", kinds=("episode",))) == []
    with pytest.raises(InvalidDate):
        memory.search("Ivo", as_of="2020-13")


def test_times_come_in_many_forms(memory: HybridMemory) -> None:
    for at in (date(2026, 3, 1), 1772323200, "2026-03-01t00:00:00z"):
        (said,) = memory.add("Ana moved.", at=at)
        assert said.at == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(InvalidDate):
        memory.add("Ana moved.", at=True)
    with pytest.raises(InvalidDate):
        memory.search("Ana", reference_date="soon")


def test_one_name_however_it_is_composed_holds_one_value(memory: HybridMemory) -> None:
    for name, town in (("Jos\u00e9", "Porto"), ("Jose\u0301", "Lisbon"), ("\uff2aos\u00e9", "Rome")):
        memory.add_fact(name, "lives in", town)
    assert [fact.object for fact in memory.ledger.facts(ANA)] == ["Rome"]
    memory.at("users/jos\u00e9").add("I am here.")
    assert len(memory.at("users/jose\u0301").list()) == 1


def test_an_answer_sees_a_period_from_its_reference_date(memory: HybridMemory) -> None:
    memory.add("Zane adopted a kitten.", at="2026-03-03")
    memory.add("Zane adopted a puppy.", at="2026-03-10")
    for day, kept in (("2026-03-17", "puppy"), ("2026-03-10", "kitten")):
        answer = memory.answer("What did Zane adopt last week?", route="retrieval", reference_date=day)
        assert kept in answer.evidence[0].text


def test_the_end_of_a_very_long_memory_is_found_answered_from_and_dreamt_of(memory: HybridMemory) -> None:
    filler = ("and so it went on and on.", "nothing new was said of it.", "some coffee was had by all.")
    minutes = " ".join(filler[number % 3] for number in range(1900))
    assert len(minutes) > 50_000
    (long,) = memory.add(f"Minutes of the meeting. {minutes} Zane Kolu adopted a kitten.")
    for number in range(30):
        memory.add(f"Note {number} about shelters.")
    asked = "What did Zane Kolu adopt?"
    assert memory.search(asked)[0].id == long.id
    assert memory.answer(asked, route="retrieval").text == "kitten"
    memory.dream()
    assert ("Zane Kolu", "kitten") in {(fact.subject, fact.object) for fact in memory.ledger.facts(memory.namespace)}
    memory.delete(long.id)
    assert memory.doctor() == []
    assert long.id not in {found.id for found in memory.search(asked)}


def test_a_small_base_answers_from_the_end_of_a_very_long_memory(tmp_path: Path) -> None:
    """It loses the thread of a prompt that fills its window."""
    filler = ("and so it went on and on.", "nothing new was said of it.", "some coffee was had by all.")
    minutes = " ".join(filler[number % 3] for number in range(1900))
    with HybridMemory.open(tmp_path, model="bundled", embedder="hashing", vectors="memory") as memory:
        memory.add(f"Minutes of the meeting. {minutes} Zane Kolu lives in Riga.")
        answer = memory.answer("Where does Zane Kolu live?")
    assert (answer.text, answer.route) == ("Riga", "retrieval")
    assert answer.prompt_tokens <= PLAIN_TOKENS


def test_a_web_page_cannot_retire_what_the_user_said(memory: HybridMemory) -> None:
    said = memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2025-01-01")
    read = memory.add_fact("Ana", "lives in", "Mordor", valid_from="2026-03-01", trust="web")
    assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Lisbon."]
    assert memory.get(said.id) == said
    assert memory.get(read.id) == read
    assert (read.quarantined, read.current) == (True, True)
    assert [(event.event, event.by) for event in memory.history(read.id)] == [("added", None), ("quarantined", said.id)]
    agreed = memory.add_fact("Ana", "lives in", "Mordor", valid_from="2026-03-01")
    assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Mordor."]
    assert memory.get(said.id).superseded_by == agreed.id


def test_a_question_may_be_the_slot(memory: HybridMemory) -> None:
    old = memory.add_fact("Ana", "lives in", "Porto", valid_from="2025-01-01", question="Where does Ana live?")
    new = memory.add_fact("Ana", "is at home in", "Oslo", valid_from="2026-01-01", question="where does Ana live")
    assert (old.text, old.slot) == ("Where does Ana live? Porto.", new.slot)
    assert memory.ledger.facts(memory.namespace) == [new]
    with pytest.raises(InvalidInput, match="question is an int"):
        memory.add_fact("Ana", "lives in", "Porto", question=7)  # type: ignore[arg-type]


def test_a_slot_may_hold_several_values_on_request(memory: HybridMemory) -> None:
    memory.add_fact("Ana", "speaks", "Portuguese")
    memory.add_fact("Ana", "speaks", "Norwegian", replace=False)
    assert len(memory.search("What does Ana speak?", kinds=("fact",))) == 2


# ---- recalling


def test_a_search_says_why_and_keeps_to_its_bounds(memory: HybridMemory) -> None:
    memory.add([{"role": "user", "content": f"Ana bought {thing}."} for thing in ("a boat", "a bike", "a piano")])
    memory.add_fact("Ana", "bought", "a house", replace=False)
    hits = memory.search("Who bought a piano?", limit=2)
    assert len(hits) == 2
    assert hits[0].text == "Ana bought a piano."
    assert set(hits[0].why) >= {"dense", "lexical"}
    assert hits[0].score >= hits[1].score
    assert {hit.kind for hit in memory.search("bought", kinds=("fact",))} == {"fact"}
    assert sum(len(hit.text) for hit in memory.search("Ana bought", token_budget=10)) <= 40
    assert memory.ledger.uses(ANA, [hits[0].id])[hits[0].id] >= 1


def test_what_is_reworded_or_deleted_is_found_no_more(memory: HybridMemory) -> None:
    (kept,) = memory.add("Ana plays the cello.")
    (gone,) = memory.add("Ana collects stamps.")
    assert texts(memory.search("collects stamps", limit=1)) == ["Ana collects stamps."]
    memory.update(kept.id, "Ana plays the drums.")
    memory.delete(gone.id)
    assert texts(memory.search("What does Ana play or collect? stamps cello")) == ["Ana plays the drums."]
    assert [event.event for event in memory.history(kept.id)] == ["added", "updated"]
    assert [(event.event, event.text) for event in memory.history(gone.id)] == [("added", None), ("deleted", None)]
    with pytest.raises(UnknownMemory):
        memory.get(gone.id)


def test_a_quarantined_memory_is_found_after_its_release_alone(memory: HybridMemory) -> None:
    (doubtful,) = memory.add("Ana owes me a million.")
    memory.quarantine(doubtful.id)
    assert memory.search("Who owes a million?") == []
    memory.release(doubtful.id)
    assert texts(memory.search("Who owes a million?")) == ["Ana owes me a million."]


def test_an_answer_comes_from_retrieval_or_not_at_all(memory: HybridMemory) -> None:
    memory.add_fact("Ana", "lives in", "Lisbon")
    known = memory.answer("Where does Ana live?")
    assert (known.text, known.route, known.adapter) == ("Lisbon", "retrieval", None)
    assert known.evidence[0].text == "Ana lives in Lisbon."
    assert known.prompt_tokens > 0
    unknown = memory.answer("Which port does Mira use?")
    assert (unknown.text, unknown.route) == ("I don't know.", "abstain")
    assert memory.answer("Where does Ana live?", route="abstain").route == "abstain"
    with pytest.raises(EmptyText):
        memory.answer(" ")


# ---- looking


def test_why_leads_from_the_episode_to_its_facts_and_back(memory: HybridMemory) -> None:
    (episode,) = memory.add("Ana moved to Lisbon.")
    fact = memory.ledger.put_fact(
        Fact("f1", ANA, "Ana", "lives in", "Lisbon", "Ana lives in Lisbon.", episode.at, sources=(episode.id,))
    )
    from_episode, from_fact = memory.why(episode.id), memory.why(fact.id)
    assert [each["id"] for each in from_episode["facts"]] == [fact.id]
    assert [each["id"] for each in from_fact["episodes"]] == [episode.id]
    assert from_fact["adapters"] == []
    with pytest.raises(UnknownMemory):
        memory.why("ep_none")


def test_pages_join_without_a_gap(memory: HybridMemory) -> None:
    made = []
    for number in range(7):
        made.append(memory.add(f"turn {number}")[0].id)
        made.append(memory.add_fact("Ana", f"likes {number}", "tea").id)
    seen: list[str] = []
    after = None
    while page := memory.list(limit=3, after=after):
        assert len(page) <= 3
        seen += [each.id for each in page]
        after = page[-1].position
    assert seen == made
    assert all(isinstance(each, Fact) for each in memory.list(kind="fact"))
    assert len(memory.list(kind="episode", limit=100)) == 7
    assert (memory.stats()["episodes"], memory.stats()["facts"]) == (7, 7)
    with pytest.raises(InvalidInput):
        memory.list(limit=0)


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        (episode,) = memory.add("Ana moved to Lisbon.")
        memory.search("Ana")
        memory.add("Ana sails.")
    with opened(tmp_path) as memory:
        assert memory.get(episode.id) == episode
        assert texts(memory.search("Who sails?", limit=1)) == ["Ana sails."]
        assert memory.doctor() == []


def test_an_exported_namespace_lives_on_in_another_folder(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_fact("Ana", "lives in", "Oslo", valid_from="2025-01-01")
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    written = memory.export(tmp_path / "ana.jsonl")
    with opened(tmp_path / "elsewhere", ("users", "ana2")) as other:
        assert other.import_(tmp_path / "ana.jsonl").lines == written
        assert texts(other.search("Where does Ana live?")) == ["Ana lives in Lisbon."]
        assert texts(other.search("Where does Ana live?", as_of="2025-12-31")) == ["Ana lives in Oslo."]
        assert other.doctor() == []
        again = other.import_(tmp_path / "ana.jsonl")
        assert (again.lines, again.there, again.erased) == (0, 2, 0)


def test_rebuilt_indexes_find_the_same(memory: HybridMemory) -> None:
    memory.add([{"role": "user", "content": f"Ana bought {thing}."} for thing in ("a boat", "a bike", "a piano")])
    before = memory.search("Who bought a boat?")
    memory.reindex()
    again = memory.search("Who bought a boat?")
    assert [(hit.id, pytest.approx(hit.score)) for hit in before] == [(hit.id, hit.score) for hit in again]


# ---- the asynchronous twins


def test_the_asynchronous_twins_do_the_same(memory: HybridMemory) -> None:
    async def live() -> None:
        added = await asyncio.gather(*(memory.aadd(f"Ana bought item {number}.") for number in range(5)))
        assert {each[0].text for each in added} == {f"Ana bought item {number}." for number in range(5)}
        fact = await memory.aadd_fact("Ana", "lives in", "Lisbon")
        found, answer, listed = await asyncio.gather(
            memory.asearch("Where does Ana live?", limit=1),
            memory.aanswer("Where does Ana live?"),
            memory.alist(),
        )
        assert (found[0].id, answer.text, len(listed)) == (fact.id, "Lisbon", 6)
        assert (await memory.aupdate(fact.id, "Ana lives in Lisboa.")).text == "Ana lives in Lisboa."
        assert (await memory.aget(fact.id)).text == "Ana lives in Lisboa."
        assert len(await memory.ahistory(fact.id)) == 2
        assert (await memory.adelete(fact.id)).id == fact.id
        assert (await memory.astats())["facts"] == 0

    asyncio.run(live())
    assert memory.aadd.__name__ == "aadd"


# ---- namespaces


parts = st.text(st.sampled_from("aAbBé-_. %'\"*"), min_size=1, max_size=3).filter(
    lambda part: part == part.strip() and part not in {".", ".."}
)
names = st.lists(st.lists(parts, min_size=1, max_size=3).map(tuple), min_size=2, max_size=3, unique=True)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(namespaces=names)
def test_nothing_crosses_a_namespace(namespaces: list[Namespace]) -> None:
    with tempfile.TemporaryDirectory() as name:
        memories = [opened(Path(name), checked_namespace(namespace)) for namespace in namespaces]
        try:
            kept = [memory.add(f"shared words and number {n}")[0] for n, memory in enumerate(memories)]
            facts = [memory.add_fact("Ana", "owns", f"boat {n}") for n, memory in enumerate(memories)]
            for n, memory in enumerate(memories):
                own = {kept[n].id, facts[n].id}
                assert {hit.id for hit in memory.search("shared words and number, Ana owns boat")} == own
                assert {each.id for each in memory.list()} == own
                assert memory.answer("What does Ana own?").text == f"boat {n}"
                assert memory.stats()["episodes"] == 1
                for foreign in {each.id for each in (*kept, *facts)} - own:
                    for look in (memory.get, memory.history, memory.why, memory.delete, memory.quarantine):
                        with pytest.raises(UnknownMemory):
                            look(foreign)
            assert memories[0].doctor() == []
        finally:
            for memory in memories:
                memory.close()


@pytest.mark.parametrize("namespace", [(), "", "users//ana", ("users", " ana"), ("..",), ("a/b",), ("a\nb",)])
def test_an_odd_namespace_is_refused_before_a_folder_is_made(tmp_path: Path, namespace: Any) -> None:
    with pytest.raises(InvalidNamespace):
        HybridMemory.open(tmp_path / "memory", namespace=namespace)
    assert list(tmp_path.iterdir()) == []


# ---- erasing


def test_a_deleted_text_leaves_no_byte_in_any_file(tmp_path: Path) -> None:
    secret, other = "Xylquor Brandeburgh", "Ana keeps bees."
    with opened(tmp_path) as memory:
        (episode,) = memory.add(
            f"My doctor is {secret} of Uppsalvik.", speaker="Wrennick", metadata={"at": "Uppsalvik"}
        )
        memory.ledger.put_fact(
            Fact("f1", ANA, "My doctor", "is", secret, f"It is {secret}.", episode.at, sources=(episode.id,))
        )
        memory.update(episode.id, f"My doctor was {secret} of Uppsalvik.")
        memory.add(other)
        memory.search(f"Who is {secret}?")
        memory.answer("Who is my doctor?")
        assert _holders(tmp_path, "xylquor"), "the test looks in the wrong place"
        receipt = memory.delete(episode.id)
        assert receipt.removed["ledger"] >= 1
        assert receipt.removed["vectors"] >= 1
        assert receipt.removed["full_text"] >= 1
        for word in ("xylquor", "brandeburgh", "uppsalvik", "wrennick"):
            assert _holders(tmp_path, word) == []
        assert texts(memory.search("bees")) == [other]
    for word in ("xylquor", "brandeburgh", "uppsalvik", "wrennick"):
        assert _holders(tmp_path, word) == []


def test_a_deleted_wording_leaves_no_byte_where_the_fact_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        (one,) = memory.add("Ana keeps bees behind the zyzzogeton hedge.")
        (other,) = memory.add("Ana has bees.")
        text, sources = "Ana keeps bees behind the zyzzogeton hedge.", (one.id, other.id)
        memory.ledger.put_fact(Fact("f1", ANA, "Ana", "keeps", "bees", text, one.at, sources=sources, evidence=2))
        memory.search("Where are the bees?")
        assert _holders(tmp_path, "zyzzogeton"), "the test looks in the wrong place"
        memory.delete(one.id)
        assert _holders(tmp_path, "zyzzogeton") == []
        assert "Ana keeps bees." in texts(memory.search("Who keeps bees?"))
    assert _holders(tmp_path, "zyzzogeton") == []


def _holders(folder: Path, word: str) -> list[str]:
    """The files in which `word` can be read, in lower case or as it was written."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and word.encode() in file.read_bytes().lower()
    ]


# ---- several processes


def live(folder: Path, name: str, turns: int) -> None:
    with opened(folder) as memory:
        for number in range(turns):
            memory.add(f"{name} said {number}.", session=name)
            memory.add_fact(name, "has said", str(number))
            assert memory.search(f"{name} said {number}", limit=3)


def test_two_processes_add_and_search_at_once(tmp_path: Path) -> None:
    context = scripts.context()
    turns = 6
    workers = [context.Process(target=live, args=(tmp_path, name, turns)) for name in ("Ana", "Ben")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=180)
        assert worker.exitcode == 0
    with opened(tmp_path) as memory:
        memory.catch_up()
        every = memory.list(limit=1000)
        said = [each.text for each in every if isinstance(each, Episode)]
        assert sorted(said) == sorted(f"{name} said {n}." for name in ("Ana", "Ben") for n in range(turns))
        assert {fact.text for fact in memory.ledger.facts(ANA)} == {
            f"{name} has said {turns - 1}." for name in ("Ana", "Ben")
        }
        assert memory.indexes.vectors.count(ANA) == memory.indexes.lexical.count(ANA) == 4 * turns
        assert memory.doctor() == []
