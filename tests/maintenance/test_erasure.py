"""What a deletion leaves behind is named in its receipt."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem import HybridMemory
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import ErasureReceipt, Fact
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.models.fake import FakeModel


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


def test_a_short_text_is_not_looked_for_within_others(memory: HybridMemory) -> None:
    said = memory.add("ok")[0]
    memory.add("ok, let us go")
    assert named(memory.delete(said.id)) == set()


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


# ---- whatever happened before

SENTENCES = (
    "Ana lives in Lisbon.",
    "ana lives in Lisbon",
    "Ana lives in Oslo.",
    "As I said, Ana lives in Lisbon.",
    "Ben lives in Oslo.",
    "ok",
)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(SENTENCES)),
    st.tuples(st.just("say"), st.sampled_from(SENTENCES)),
    st.tuples(st.just("state"), st.sampled_from(["Lisbon", "Oslo"])),
    st.tuples(st.just("update"), st.integers(0, 5), st.sampled_from(SENTENCES)),
    st.tuples(st.just("quarantine"), st.integers(0, 5)),
    st.tuples(st.just("dream")),
)
HISTORIES = st.lists(STEPS, min_size=2, max_size=7).filter(lambda steps: steps.count(("dream",)) <= 1)


def everything(memory: HybridMemory) -> list[Any]:
    found = memory.ledger.facts(memory.namespace, include_retired=True)
    return sorted([*memory.ledger.episodes(memory.namespace), *found], key=lambda record: record.position)


def do(memory: HybridMemory, step: tuple[Any, ...]) -> None:
    match step:
        case ("say", text):
            memory.add(text)
        case ("state", town):
            memory.add_fact("Ana", "lives in", town)
        case ("dream",):
            memory.dream()
        case (name, number, *rest):
            records = everything(memory)
            if records:
                getattr(memory, name)(records[number % len(records)].id, *rest)


def says(text: str, words: set[str]) -> bool:
    said = normalised(text)
    return said in words or any(" " in each and contains_words(said, each) for each in words)


def still_given(memory: HybridMemory, words: set[str], folder: Path) -> set[str]:
    """Ids of what search, history, export and answers still give of `words`."""
    found = {hit.id for query in words for hit in memory.search(query, limit=100) if says(hit.text, words)}
    for question in ("Where does Ana live?", "Where does Ben live?"):
        found |= {hit.id for hit in memory.answer(question).evidence if says(hit.text, words)}
    for record in everything(memory):
        if any(event.text is not None and says(event.text, words) for event in memory.history(record.id)):
            found.add(record.id)
    memory.export(folder / "export.jsonl")
    for line in (folder / "export.jsonl").read_text().splitlines()[1:]:
        value = json.loads(line)
        if value["text"] is not None and says(value["text"], words):
            found.add(value["memory"] if value["kind"] == "event" else value["id"])
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(steps=HISTORIES, which=st.integers(0, 10), copies=st.booleans())
def test_whatever_is_still_given_after_a_deletion_is_named(
    steps: list[tuple[Any, ...]], which: int, copies: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, opened(Path(name)) as memory:
        for step in steps:
            try:
                do(memory, step)
            except InvalidInput:
                continue
        records = everything(memory)
        if not records:
            return
        doomed = records[which % len(records)]
        texts = {record.id: (record.text, *[event.text for event in memory.history(record.id)]) for record in records}
        receipt = memory.delete(doomed.id, copies=copies)
        words = {normalised(text) for id in (doomed.id, *receipt.facts) for text in texts[id] if text}
        left = still_given(memory, words, Path(name))
        assert left <= named(receipt)
        assert not copies or receipt.copies == ()
        asked = [
            (f"Where does {record.subject} live?", record.object)
            for record in records
            if isinstance(record, Fact) and record.id in (doomed.id, *receipt.facts)
        ]
        active = memory.adapters.active()
        if active is not None and any(probe.recalled for probe in memory.probe(asked)):
            assert active.version in receipt.pending or left, "weights that still say it are named"
