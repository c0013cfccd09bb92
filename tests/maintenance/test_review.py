"""What waits for a person's word, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.jobs import EVERY
from tests.dreaming.nights import ANA, NIGHT, fact, open_memory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel(jobs=EVERY)) as opened:
        yield opened


def contradiction(memory: HybridMemory) -> str:
    """What the agent says against what the user said; returns the quarantined fact's id."""
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2025-01-01")
    (said,) = memory.add("Ana lives in Mordor.", trust="agent", role="assistant")
    stated = fact("fa_1", object="Mordor", text="Ana lives in Mordor.", trust="agent", sources=(said.id,))
    return memory.ledger.put_fact(stated).id


def test_nothing_waits_in_an_orderly_memory(memory: HybridMemory) -> None:
    (aside,) = memory.add("Ana lives in Oslo.")
    memory.quarantine(aside.id)
    memory.add_fact("Ana", "speaks", "Greek")
    assert memory.review() == []


def test_a_contradiction_waits_with_its_sentence_and_its_source(memory: HybridMemory) -> None:
    id = contradiction(memory)
    (item,) = memory.review()
    assert (item.id, item.reason, item.claim) == (id, "contradiction", "Ana | lives in | Mordor")
    assert (item.text, item.sources) == ("Ana lives in Mordor.", ("Ana lives in Mordor.",))
    assert item.contradicts == "Ana | lives in | Lisbon"
    assert (item.accept, item.reject) == (f"hybridmem review accept {id}", f"hybridmem review reject {id}")


def test_what_is_accepted_replaces_what_it_contradicts(memory: HybridMemory) -> None:
    kept = memory.accept(contradiction(memory))
    assert (kept.trust, kept.quarantined, kept.object) == ("user", False, "Mordor")
    assert [f.object for f in memory.ledger.facts(ANA)] == ["Mordor"]
    assert memory.review() == []


def test_what_is_rejected_is_erased(memory: HybridMemory) -> None:
    id = contradiction(memory)
    assert memory.reject(id).removed["ledger"] == 1
    assert [f.object for f in memory.ledger.facts(ANA)] == ["Lisbon"]
    assert memory.review() == []
    with pytest.raises(UnknownMemory):
        memory.get(id)


def test_a_plan_waits_once_its_day_is_over(memory: HybridMemory) -> None:
    plan = fact("fa_1", object="Oslo", text="The user will fly to Oslo on 2026-02-20.", question="Where will I fly?")
    past = memory.ledger.put_fact(replace(plan, valid_from=NIGHT - timedelta(9), valid_to=NIGHT - timedelta(1)))
    memory.ledger.put_fact(replace(plan, id="fa_2", question="And then?", valid_to=NIGHT + timedelta(9)))
    (item,) = memory.review()
    assert (item.id, item.reason, item.claim, item.contradicts) == (
        past.id,
        "past plan",
        "Where will I fly? Oslo",
        None,
    )
    over = memory.accept(past.id)
    assert not over.current
    assert over.valid_to == past.valid_to
    assert memory.review() == []


def test_what_does_not_wait_takes_no_word(memory: HybridMemory) -> None:
    (episode,) = memory.add("Ana lives in Oslo.")
    believed = memory.add_fact("Ana", "speaks", "Greek")
    for id in (episode.id, believed.id):
        with pytest.raises(InvalidInput, match="hybridmem review lists"):
            memory.accept(id)
        with pytest.raises(InvalidInput, match="hybridmem review lists"):
            memory.reject(id)
    assert memory.get(believed.id) == believed
