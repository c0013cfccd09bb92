"""What a deletion leaves behind is named in its receipt."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybridmem import HybridMemory
from hybridmem.conversation import recall, respond
from hybridmem.core.errors import InvalidInput
from hybridmem.core.plain_json import texts_in
from hybridmem.core.records import BulkReceipt, ErasureReceipt, Fact, Hit, to_json
from hybridmem.core.text.tokens import contains_words, normalised, tokens
from hybridmem.maintenance.leftovers import PINNED, find
from hybridmem.models.fake import FakeModel
from hybridmem.redaction import redact


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with opened(tmp_path) as memory:
        yield memory


def opened(folder: Path) -> HybridMemory:
    return HybridMemory.open(folder / "memory", ledger="memory", embedder="hashing", model=FakeModel())


def named(receipt: ErasureReceipt) -> set[str]:
    return {*receipt.copies, *receipt.mentions}


def test_a_twin_is_named_and_goes_on_request(memory: HybridMemory) -> None:
    first, second, third = (
        memory.add(text)[0] for text in ("My PIN hint is the ferret.",) * 2 + ("my PIN hint is the ferret!",)
    )
    assert len(memory.search("PIN hint")) == 1
    receipt = memory.delete(first.id)
    assert receipt.copies == (second.id, third.id)
    assert "same words" in receipt.pending
    receipt = memory.delete(second.id, copies=True)
    assert (receipt.copies, receipt.removed["ledger"]) == ((), 2)
    assert memory.search("PIN hint") == []


def test_words_within_other_words_are_named(memory: HybridMemory) -> None:
    said = memory.add("Ana lives in Lisbon.")[0]
    longer = memory.add("By the way: Ana lives in Lisbon, near the river.")[0]
    reworded = memory.add("Ana lives in Lisbon.")[0]
    memory.update(reworded.id, "Never mind.")
    other = memory.add("Ana lives in Lisbon-on-Sea, Ben says.")[0]
    receipt = memory.delete(said.id)
    assert (receipt.copies, receipt.mentions) == ((reworded.id,), (longer.id, other.id))


@pytest.mark.parametrize(
    "other",
    [
        "my pin\u00a0hint is the ferret",
        "My PIN\u200b hint is the fer\u00adret.",
        "\ufeff«Ｍｙ PIN hint is the ferret»",
        "**My PIN hint:** is the ferret 🎉",
        "My PIN hint (is) the ferret",
        "<p>My <b>PIN</b> hint is&nbsp;the ferret.</p>",
        "My PIN hint 🎉 is the ferret",
        "My PIN hint is the fer-\nret.",
        "https://example.org/?q=My%20PIN%20hint%20is%20the%20ferret",
        r'{"said": "My PIN hint\nis the \u0066erret \ud83c\udf89"}',
    ],
)
def test_the_same_words_in_other_signs_are_named(memory: HybridMemory, other: str) -> None:
    first, second = memory.add("My PIN hint is the ferret.")[0], memory.add(other)[0]
    assert named(memory.delete(first.id)) == {second.id}
    memory.add("My PIN hint is the ferret.")
    assert len(named(memory.delete(second.id))) == 1


def test_a_text_without_a_word_is_in_no_other(memory: HybridMemory) -> None:
    first, other = memory.add("<a> <b> <c> <d>")[0], memory.add("Ana lives in Porto, on a hill.")[0]
    assert other.id not in named(memory.delete(first.id))


def test_a_sign_tells_two_memories_apart(memory: HybridMemory) -> None:
    first, second = memory.add("I voted for it today 👍")[0], memory.add("I voted for it today 👎")[0]
    assert memory.delete(first.id, copies=True).copies == ()
    assert memory.get(second.id) == second


def test_a_short_text_is_not_looked_for_within_others(memory: HybridMemory) -> None:
    said = memory.add("ok")[0]
    memory.add("ok, let us go")
    assert named(memory.delete(said.id)) == set()


@pytest.mark.parametrize(
    ("said", "other", "is_named"),
    [
        ("PIN 4711", "my pin 4711, as ever", True),
        ("ana@example.org", "Write to ana@example.org.", True),
        ("+351912345678", "call +351912345678 now", True),
        ("in 2024", "in 2024 we moved", False),
        ("no 7", "no 7, thanks", False),
    ],
)
def test_a_short_text_with_a_number_or_an_address_is(
    memory: HybridMemory, said: str, other: str, is_named: bool
) -> None:
    first, second = memory.add(said)[0], memory.add(other)[0]
    assert named(memory.delete(first.id)) == ({second.id} if is_named else set())


def test_a_facts_sources_are_named(memory: HybridMemory) -> None:
    said = memory.add("I live in Lisbon, as you know.")[0]
    memory.dream()
    (fact,) = memory.list(kind="fact")
    receipt = memory.delete(fact.id)
    assert said.id in named(receipt)
    assert said.id in receipt.pending
    assert memory.dream().new_facts == 0
    assert memory.list(kind="fact") == []
    assert named(memory.delete(said.id)) == set()


def test_what_was_set_aside_and_is_told_again_stays_aside(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.dream()
    (fact,) = memory.list(kind="fact")
    memory.quarantine(fact.id)
    memory.add("Ana lives in Lisbon!")
    memory.dream()
    assert [(f.id, f.quarantined) for f in memory.list(kind="fact") if isinstance(f, Fact)] == [(fact.id, True)]


def test_a_dream_that_runs_is_named(memory: HybridMemory) -> None:
    said = memory.add("Ana lives in Lisbon.")[0]
    with FileLock(memory.folder.dream_lock(memory.namespace)):
        assert "a dream is running" in memory.delete(said.id).pending
    said = memory.add("Ana lives in Lisbon.")[0]
    assert memory.delete(said.id).pending == ""


def test_what_a_memory_says_in_its_metadata_or_its_triple_is_named(memory: HybridMemory) -> None:
    said = memory.add("Ana lives in Lisbon.")[0]
    noted = memory.add("Look!", metadata={"notes": [{"raw": "He said: Ana lives in Lisbon."}], "by": "Ana"})[0]
    edited = memory.add("Hm.", metadata={"note": "ana lives in lisbon"})[0]
    memory.update(edited.id, metadata={"note": None})
    stated = memory.add_fact("Ana", "lives in", "Lisbon", text="She has a flat there, in Lisbon.")
    titled = memory.add("Hm.", session="Ana lives in Lisbon")[0]
    listed = memory.add("Hm!", metadata={"seen": [{"Ana lives in Lisbon.": 2}]})[0]
    other = memory.add("Ok.", metadata={"note": "Ana lives in Oslo.", "tags": ["lisbon"]}, session="Lisbon")[0]
    receipt = memory.delete(said.id)
    assert (receipt.copies, set(receipt.mentions)) == ((stated.id,), {noted.id, edited.id, titled.id, listed.id})
    assert other.id not in named(receipt)


def test_a_word_in_the_metadata_of_another_memory_makes_it_no_copy(memory: HybridMemory) -> None:
    said = memory.add("ok")[0]
    kept = memory.add("Ana lives in Lisbon.", metadata={"state": "ok"})[0]
    assert named(memory.delete(said.id, copies=True)) == set()
    assert memory.get(kept.id) == kept


def test_a_script_without_spaces_is_looked_for_within_longer_texts(memory: HybridMemory) -> None:
    said = memory.add("我住在里斯本的河边。")[0]
    longer = memory.add("他昨天说我住在里斯本的河边，是真的。")[0]
    other = memory.add("我住在奥斯陆。")[0]
    receipt = memory.delete(said.id)
    assert (receipt.mentions, other.id in named(receipt)) == ((longer.id,), False)


def test_what_is_deleted_by_a_filter_leaves_nothing_unnamed_either(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", tags=["old"])
    memory.add("Ben lives in Oslo.", tags=["old"])
    twin = memory.add("ana lives in lisbon")[0]
    longer = memory.add("I know: Ben lives in Oslo, by the harbour.")[0]
    planned = memory.delete_many({"tags": "old"}, dry_run=True)
    assert (planned.copies, planned.mentions, planned.pending) == ((), (), "")
    receipt = memory.delete_many({"tags": "old"})
    assert (receipt.copies, receipt.mentions) == ((twin.id,), (longer.id,))
    assert twin.id in receipt.pending
    assert longer.id in receipt.pending


def test_many_texts_are_looked_for_in_many_at_once() -> None:
    erased = [f"Person{number} lives in town {number}." for number in range(2000)]
    texts = [(f"e{number}", f"By the way, person{number} lives in town {number}, I hear.") for number in range(4000)]
    started = time.process_time()
    assert len(find(erased, texts).mentions) == 2000
    assert time.process_time() - started < 5


def test_a_text_of_one_word_again_and_again_is_looked_for_in_time() -> None:
    started = time.process_time()
    assert find(["echo " * 20_000], [("e1", "echo " * 19_000), ("e2", "echo " * 2)]).mentions == ("e1",)
    assert time.process_time() - started < 5


def test_a_text_that_was_erased_is_in_no_cache(memory: HybridMemory) -> None:
    said = memory.add("Ana lives in Lisbon.")[0]
    memory.dream()
    assert redact.cache_info().currsize
    memory.delete(said.id)
    assert not redact.cache_info().currsize


# ---- whatever happened before

SENTENCES = (
    "Ana lives in Lisbon.",
    "ana lives in Lisbon",
    "Ana lives in Oslo.",
    "As I said, Ana lives in Lisbon.",
    "**Ana**: lives in\u200b Lisbon!",
    "Ben lives in Oslo.",
    "ok",
)
NOTES = ("ok", "Ana lives in Lisbon.", "as she wrote: Ben lives in Oslo, by the sea")
STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(SENTENCES), st.sampled_from([None, *NOTES])),
    st.tuples(st.just("say"), st.sampled_from(SENTENCES), st.none()),
    st.tuples(st.just("state"), st.sampled_from(["Lisbon", "Oslo"]), st.sampled_from([None, "She went to {}."])),
    st.tuples(st.just("update"), st.integers(0, 5), st.sampled_from(SENTENCES)),
    st.tuples(st.just("note"), st.integers(0, 5), st.sampled_from([None, *NOTES])),
    st.tuples(st.just("quarantine"), st.integers(0, 5)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("block"), st.sampled_from(["human", "work"]), st.sampled_from(["ok", *NOTES])),
    st.tuples(st.just("ask"), st.sampled_from(["Where does Ana live?", "Is it so that Ana lives in Lisbon?"])),
    st.tuples(st.just("dream")),
)
HISTORIES = st.lists(STEPS, min_size=2, max_size=7).filter(lambda steps: steps.count(("dream",)) <= 1)
QUESTIONS = ("Where does Ana live?", "Where does Ben live?")
TAG = "doomed"


def everything(memory: HybridMemory) -> list[Any]:
    found = memory.ledger.facts(memory.namespace, include_retired=True)
    return sorted([*memory.ledger.episodes(memory.namespace), *found], key=lambda record: record.position)


def do(memory: HybridMemory, step: tuple[Any, ...]) -> None:
    match step:
        case ("say", text, note):
            memory.add(text, metadata={"note": [note]} if note else None, tags=[TAG] if note else [])
        case ("state", town, None):
            memory.add_fact("Ana", "lives in", town)
        case ("state", town, words):
            memory.add_fact("Ana", "lives in", town, text=words.format(town))
        case ("dream",):
            memory.dream()
        case ("block", label, text):
            memory.blocks.set(label, text)
        case ("ask", question):
            memory.standing_questions.add(question)
            memory.standing_questions.answers()
        case (name, number, *rest):
            records = everything(memory)
            if not records:
                return
            id = records[number % len(records)].id
            if name == "note":
                memory.update(id, metadata={"note": rest[0]})
            else:
                getattr(memory, name)(id, *rest)


def says(text: str, words: set[str]) -> bool:
    said = normalised(text)
    return said in words or quotes(text, words)


def quotes(text: str, words: set[str]) -> bool:
    spelt = f" {' '.join(tokens(text))} "
    return any(
        contains_words(normalised(text), each) or f" {' '.join(tokens(each))} " in spelt
        for each in words
        if each.count(" ") > 1
    )


def given_texts(memory: HybridMemory, words: set[str], folder: Path) -> Iterator[tuple[str, str, bool]]:
    """(id, text, whether the text is a memory's own words) of all that any surface gives."""
    for query in words:
        for options in ({}, {"include_expired": True}, {"as_of": "2100-01-01"}, {"kinds": ("fact",)}):
            yield from from_hits(memory.search(query, limit=100, **options))  # type: ignore[arg-type]
        yield from from_hits(recall(memory, [{"role": "user", "content": query}], limit=100))
    for question in QUESTIONS:
        yield from from_hits(memory.reflect(question).evidence)
        for route in (None, "retrieval", "both", "weights"):
            yield from from_hits(memory.answer(question, route=route).evidence)  # type: ignore[arg-type]
        yield from from_hits(respond(memory, [{"role": "user", "content": question}]).evidence)
    for record in everything(memory):
        yield record.id, record.text, True
        yield from ((record.id, text, False) for text in texts_in(record.metadata))
        if isinstance(record, Fact):
            yield record.id, record.bare, True
        for event in memory.history(record.id):
            if event.text is not None:
                yield record.id, event.text, True
            yield from ((record.id, text, False) for text in texts_in(event.changes))
        told = memory.why(record.id)
        for each in (told["memory"], *told["episodes"], *told["facts"]):
            yield from ((each["id"], text, False) for text in texts_in(each) if " " in text)
    for item in memory.ledger.items(memory.namespace):
        yield from ((item.fact, text, False) for text in (item.question, item.answer, *item.context))
    for waiting in memory.review():
        yield waiting.id, waiting.text, True
    memory.export(folder / "export.jsonl")
    for line in (folder / "export.jsonl").read_text().splitlines()[1:]:
        value = json.loads(line)
        yield from ((exported_id(value), text, text == value.get("text")) for text in texts_in(value))
    yield from standing(memory)


def exported_id(value: dict[str, Any]) -> str:
    match value["kind"]:
        case "block":
            return f"block:{value['label']}"
        case "block_event":
            return f"block:{value['memory']}"
        case "question":
            return f"question:{value['id']}"
        case "event":
            return str(value["memory"])
        case _:
            return str(value["id"])


def standing(memory: HybridMemory) -> Iterator[tuple[str, str, bool]]:
    """The same of what is given without a search."""
    for block in memory.blocks.list():
        yield f"block:{block.label}", block.value, True
        for event in memory.blocks.history(block.label):
            yield f"block:{block.label}", event.text or "", True
    for question in (*memory.standing_questions.list(), *memory.standing_questions.answers()):
        yield f"question:{question.id}", question.question, True
        for statement in question.statements:
            yield from ((source, statement.text, False) for source in statement.sources)
    for line in memory.profile(budget=10_000).lines:
        yield from ((fact, line.text, True) for fact in line.facts)


def from_hits(hits: Iterable[Hit]) -> Iterator[tuple[str, str, bool]]:
    for hit in hits:
        yield hit.id, hit.text, True
        yield from ((hit.id, text, False) for text in texts_in(hit.metadata))


def check_nothing_else_has(memory: HybridMemory, gone: set[str], words: set[str]) -> None:
    """What has no id to name: indexes, reports, files."""
    there = {record.id for record in everything(memory)}
    indexes = memory.indexes
    for index in (indexes.vectors, indexes.lexical, indexes.graph):
        assert set(index.ids(memory.namespace)) <= there
    assert not there & gone
    for id in gone:
        assert all(event.text is None and not event.changes for event in memory.ledger.history(memory.namespace, id))
    assert not any(quotes(text, words) for text in texts_in(to_json(memory.dreams())))
    active = memory.adapters.active()
    for record in memory.adapters.list():
        files = [*memory.adapters.path(record.version).glob("*")]
        assert not files or record == active or gone.isdisjoint(record.facts)
        assert not any(quotes(f.read_text(), words) for f in files if f.suffix == ".md" or f.name == "card.json")
    assert [file for file in memory.folder.dreams.rglob("*") if file.is_file()] == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(steps=HISTORIES, which=st.integers(0, 10), how=st.sampled_from(["one", "copies", "tagged"]))
@example(steps=[("say", SENTENCES[0], NOTES[1]), ("say", SENTENCES[3], NOTES[2]), ("dream",)], which=2, how="tagged")
@example(steps=[("state", "Lisbon", None), ("block", "human", "Ana lives in Lisbon.")], which=0, how="copies")
@example(
    steps=[("say", SENTENCES[2], None), ("say", SENTENCES[0], None), ("dream",), ("update", 0, SENTENCES[0])],
    which=1,
    how="one",
)
@example(steps=[("state", "Lisbon", "She went to {}."), ("say", SENTENCES[0], None)], which=1, how="one")
@example(steps=[("say", SENTENCES[0], None), ("ask", "Is it so that Ana lives in Lisbon?")], which=0, how="one")
def test_whatever_is_still_given_after_a_deletion_is_named(steps: list[tuple[Any, ...]], which: int, how: str) -> None:
    with tempfile.TemporaryDirectory() as name, opened(Path(name)) as memory:
        for step in steps:
            try:
                do(memory, step)
            except InvalidInput:
                continue
        records = everything(memory)
        if not records:
            return
        texts = {record.id: (record.text, *[event.text for event in memory.history(record.id)]) for record in records}
        receipt: ErasureReceipt | BulkReceipt
        if how == "tagged":
            receipt = memory.delete_many({"tags": TAG})
            doomed = set(receipt.ids)
        else:
            doomed = {records[which % len(records)].id}
            receipt = memory.delete(*doomed, copies=how == "copies")
        gone = doomed | set(receipt.facts)
        if how == "copies":
            # What went as a copy is named nowhere, and its own words may be others.
            gone |= {record.id for record in records} - {record.id for record in everything(memory)}
        words = {normalised(text) for id in gone for text in texts[id] if text}
        left = {
            id
            for id, text, is_own in given_texts(memory, words, Path(name))
            if (says(text, words) if is_own else quotes(text, words))
        }
        assert left <= {*receipt.copies, *receipt.mentions}
        memory.export_markdown(Path(name) / "notes")
        files = [file for file in (Path(name) / "notes").rglob("*") if file.is_file()]
        assert files or not everything(memory)
        assert left or not any(quotes(file.read_text("utf-8"), words) for file in files)
        # Blocks and standing questions are their owner's: they are named, and stay.
        assert how != "copies" or all(id.startswith(PINNED) for id in receipt.copies)
        check_nothing_else_has(memory, gone, words)
        asked = [
            (f"Where does {record.subject} live?", record.object)
            for record in records
            if isinstance(record, Fact) and record.id in gone
        ]
        active = memory.adapters.active()
        if active is not None and any(probe.recalled for probe in memory.probe(asked)):
            assert active.version in receipt.pending or left, "weights that still say it are named"


def test_the_receipt_tells_a_copy_from_a_block(memory: HybridMemory) -> None:
    said = memory.add("Ana lives in Lisbon.")[0]
    copy = memory.add("ana lives in lisbon")[0]
    memory.blocks.set("human", "Ana lives in Lisbon.")
    receipt = memory.delete(said.id)
    assert set(receipt.copies) == {copy.id, "block:human"}
    assert f"{copy.id} still says it in the same words: delete them too, or one with copies" in receipt.pending
    assert "block:human still says it in the same words: no deletion of a memory changes" in receipt.pending
