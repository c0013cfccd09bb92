"""A night that a person reviews: nothing is believed before they say so, and nothing but what they accept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Fact
from hybridmem.dreaming import proposal
from hybridmem.dreaming.proposal import Aside, Ended, Found, Proposal
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import ANA, NOW, day, episode, fact
from tests.dreaming.nights import open_memory

TOWNS = ("Oslo", "Lisbon", "Riga")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        yield opened


def facts(memory: HybridMemory) -> list[str]:
    return [each.claim for each in memory.ledger.facts(memory.namespace)]


# ---- the whole night


def test_a_review_changes_nothing(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.dream()
    memory.add("Ana lives in Oslo.")
    memory.add("Ben lives in Riga.")
    before, nights = memory.ledger.archive(memory.namespace), memory.dreams()
    review = memory.review_dream()
    assert memory.ledger.archive(memory.namespace) == before and memory.dreams() == nights
    ana, ben = review.changes
    assert (ana.action, ana.claim, ana.text) == ("superseded", "Ana | lives in | Oslo", "Ana lives in Oslo.")
    assert (ana.replaces, ana.sources) == (("Ana | lives in | Lisbon",), ("Ana lives in Oslo.",))
    assert (ben.action, ben.replaces, review.episodes) == ("added", (), 2)


def test_only_what_is_accepted_is_believed_and_learned(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.dream()
    memory.add("Ana lives in Oslo.")
    memory.add("Ben lives in Riga.")
    ana, ben = memory.review_dream().changes
    memory.add("Cara lives in Faro.")
    report = memory.dream(accept=[ben.id])
    assert facts(memory) == ["Ana | lives in | Lisbon", "Ben | lives in | Riga"]
    assert (report.status, report.new_facts, report.held_facts) == ("promoted", 1, 2)
    assert [each.text for each in memory.ledger.unextracted(memory.namespace)] == ["Cara lives in Faro."]
    with pytest.raises(InvalidInput, match="no night waits"):
        memory.dream(accept=[ana.id])
    (cara,) = memory.review_dream().changes
    memory.dream(accept=["all"])
    assert facts(memory)[-1] == cara.claim == "Cara | lives in | Faro"


def test_nothing_may_be_accepted(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.review_dream()
    assert memory.dream(accept=[]).status == "nothing"
    assert facts(memory) == [] and memory.review_dream().changes == ()


def test_a_review_is_read_once_and_again_when_something_was_said(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("Ana lives in Lisbon.")
    read = []
    kept = proposal.save
    monkeypatch.setattr(proposal, "save", lambda folder, found: (read.append(found), kept(folder, found)))
    assert memory.review_dream() == memory.review_dream()
    assert len(read) == 1
    memory.add("Ben lives in Riga.")
    assert len(memory.review_dream().changes) == 2 and len(read) == 2


def test_what_was_erased_or_reworded_since_is_not_believed(memory: HybridMemory) -> None:
    (said,) = memory.add("Ana lives in Lisbon.")
    (other,) = memory.add("Ben lives in Riga.")
    memory.review_dream()
    memory.delete(said.id)
    assert b"Lisbon" not in b"".join(p.read_bytes() for p in memory.folder.dreams.rglob("*") if p.is_file())
    with pytest.raises(InvalidInput, match="no night waits"):
        memory.dream(accept=["all"])
    memory.review_dream()
    memory.update(other.id, "Ben lives in Faro.")
    memory.dream(accept=["all"])
    assert facts(memory) == []
    assert [each.text for each in memory.ledger.unextracted(memory.namespace)] == ["Ben lives in Faro."]


def test_what_is_erased_while_the_night_reads_is_in_no_proposal(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (said,) = memory.add("Ana lives in Lisbon.")
    memory.add("Ben lives in Riga.")
    kept = proposal.save

    def erased_before(folder: Path, found: Proposal) -> None:
        if said.id in memory.ledger.get_many(memory.namespace, [said.id]):
            memory.delete(said.id)
        kept(folder, found)

    monkeypatch.setattr(proposal, "save", erased_before)
    (change,) = memory.review_dream().changes
    assert change.claim == "Ben | lives in | Riga"
    assert b"Lisbon" not in b"".join(p.read_bytes() for p in memory.folder.dreams.rglob("*") if p.is_file())


def test_a_change_that_was_not_proposed_is_refused_and_the_review_waits_on(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    (change,) = memory.review_dream().changes
    with pytest.raises(InvalidInput, match="'fa_9' is no change of the night"):
        memory.dream(accept=[change.id, "fa_9"])
    assert facts(memory) == []
    with pytest.raises(InvalidInput, match="pass a list"):
        memory.dream(accept="all")
    memory.dream(accept=[change.id])
    assert facts(memory) == ["Ana | lives in | Lisbon"]


def test_a_night_without_a_review_goes_on_as_ever(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.review_dream()
    assert memory.dream().new_facts == 1
    assert facts(memory) == ["Ana | lives in | Lisbon"]
    with pytest.raises(InvalidInput, match="no night waits"):
        memory.dream(accept=["all"])


# ---- the accepted part


FOUND = st.tuples(
    st.sampled_from(TOWNS),
    st.integers(1, 9),
    st.sampled_from(["lives in", "likes"]),
    st.integers(0, 3),
    st.sampled_from(["user", "agent"]),
)
STEPS = st.lists(st.one_of(FOUND, st.integers(0, 8)), max_size=9)


@settings(max_examples=150, deadline=None)
@given(standing=st.lists(FOUND, max_size=4), steps=STEPS, chosen=st.sets(st.integers(0, 20)))
def test_nothing_outside_the_accepted_part_changes(
    standing: list[tuple[str, int, str, int, str]], steps: list[tuple[str, int, str, int, str] | int], chosen: set[int]
) -> None:
    ledger, expected = _ledger(standing), _ledger(standing)
    before = ledger.archive(ANA)
    found = _proposal(ledger, steps)
    assert ledger.archive(ANA) == before
    proposed = proposal.changes(ledger, ANA, found)
    assert ledger.archive(ANA) == before
    wanted = {change.id for number, change in enumerate(proposed) if number in chosen}
    proposal.apply(ledger, ANA, found, wanted, NOW)
    # What was not accepted might as well not have been read.
    alike: dict[str, str] = {}
    for step in found.steps:
        if isinstance(step, Found) and step.fact.id in wanted:
            alike[step.stored] = expected.put_fact(replace(step.fact, recorded_at=NOW), replace=None).id
        elif isinstance(step, Ended) and f"end-{step.id}" in wanted:
            there = alike.get(step.id, step.id)
            if there in expected.get_many(ANA, [there]):
                expected.expire(ANA, there, NOW)
    expected.mark_extracted(ANA, list(found.read))
    assert ledger.archive(ANA) == expected.archive(ANA)
    refused = {step.fact.id for step in found.steps if isinstance(step, Found)} - wanted
    assert refused.isdisjoint(ledger.get_many(ANA, sorted(refused)))
    touched = {step.fact.slot for step in found.steps if isinstance(step, Found) and step.fact.id in wanted}
    touched |= {old.slot for old in before.memories if isinstance(old, Fact) and f"end-{old.id}" in wanted}
    touched |= {each.slot for each in ledger.facts(ANA, include_retired=True) if f"end-{each.id}" in wanted}
    after = {memory.id: memory for memory in ledger.archive(ANA).memories}
    for old in before.memories:
        if isinstance(old, Fact) and old.slot not in touched:
            assert after[old.id] == old


@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
def test_a_proposal_comes_back_from_its_file(tmp_path_factory: pytest.TempPathFactory, steps: list[object]) -> None:
    found = _proposal(_ledger([]), steps)  # type: ignore[arg-type]
    folder = tmp_path_factory.mktemp("dream")
    proposal.save(folder, found)
    assert proposal.load(folder) == found


def _fact(id: str, told: tuple[str, int, str, int, str], source: bool) -> Fact:
    town, since, relation, number, trust = told
    return fact(id, town, since, (f"e{number}",) if source else (), relation=relation, trust=trust)


def _ledger(standing: list[tuple[str, int, str, int, str]]) -> InMemoryLedger:
    ledger = InMemoryLedger()
    ledger.append([episode(f"e{number}", f"words {number}") for number in range(4)])
    for number, told in enumerate(standing):
        ledger.put_fact(_fact(f"s{number}", told, False), replace=None)
    return ledger


def _proposal(ledger: InMemoryLedger, steps: list[tuple[str, int, str, int, str] | int]) -> Proposal:
    aside = Aside(ledger, ANA)
    for number, step in enumerate(steps):
        if not isinstance(step, int):
            aside.put_fact(_fact(f"f{number}", step, True), replace=None)
            continue
        current = aside.facts(ANA)
        if current:
            aside.expire(ANA, current[step % len(current)].id, day(20))
    aside.mark_extracted(ANA, ["e0", "e1", "e2", "e3"])
    return aside.proposal()
