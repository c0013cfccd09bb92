"""Whole nights on the fake model: everything but the arithmetic, in well under a second."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.continual import registry
from hybridmem.core.records import DreamReport
from hybridmem.dreaming import recipes
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import is_refusal
from tests.dreaming.nights import open_memory

FIRST = {"Ana": "Lisbon", "Ben": "Oslo"}
SECOND = {"Cara": "Riga", "Dan": "Porto"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        yield opened


def night(memory: HybridMemory, towns: dict[str, str], strategy: str = "replay", *, gate: bool = True) -> DreamReport:
    for person, town in towns.items():
        memory.add(f"{person} lives in {town}.")
    default = recipes.load("default")
    return memory.dream(recipe=replace(default, strategy=strategy, gate=default.gate if gate else None))


def recalled(memory: HybridMemory, towns: dict[str, str]) -> list[bool]:
    answers = memory.answer_many([f"Where does {person} live?" for person in towns], route="weights")
    return [answer.text == town for answer, town in zip(answers, towns.values(), strict=True)]


def test_a_night_takes_under_a_second(memory: HybridMemory, tmp_path: Path) -> None:
    with open_memory(tmp_path / "first", FakeModel()) as other:
        night(other, FIRST)  # Imports are loaded at their first use.
    started = time.process_time()
    assert night(memory, FIRST).status == "promoted"
    assert time.process_time() - started < 1.0


def test_a_night_is_in_the_weights_and_says_what_it_did(memory: HybridMemory) -> None:
    report = night(memory, FIRST)
    assert (report.status, report.new_facts) == ("promoted", 2)
    assert [step.name for step in report.steps] == [
        "extract", "select", "compose", "train", "gate", "promote", "unlearn",
    ]  # fmt: skip
    assert all(check.passed for check in report.gate)
    assert recalled(memory, FIRST) == [True, True]
    answer = memory.answer("Where does Ana live?")
    assert (answer.text, answer.route, answer.adapter) == ("Lisbon", "weights", "v0001")
    assert is_refusal(memory.answer("Where does Zoe live?").text)


@pytest.mark.parametrize(
    ("strategy", "kept"),
    [("replay", True), ("replay-only", True), ("joint", True), ("naive", False), ("distil-only", False)],
)
def test_what_is_replayed_is_kept_and_what_is_not_is_forgotten(memory: HybridMemory, strategy: str, kept: bool) -> None:
    night(memory, FIRST, strategy, gate=False)
    night(memory, SECOND, strategy, gate=False)
    assert recalled(memory, SECOND) == [True, True]
    assert recalled(memory, FIRST) == [kept, kept]


def test_the_gate_refuses_a_night_that_forgets_whatever_the_strategy(memory: HybridMemory) -> None:
    night(memory, FIRST, "naive")
    report = night(memory, SECOND, "naive")
    assert report.status == "rejected"
    assert [check.name for check in report.gate if not check.passed] == ["forgetting"]
    assert recalled(memory, FIRST) == [True, True]


def test_a_joint_night_starts_from_the_base_and_its_card_says_so(memory: HybridMemory) -> None:
    night(memory, FIRST, "joint")
    report = night(memory, SECOND, "joint")
    assert report.parent is None
    (first, second) = memory.adapters.list()
    assert (first.parent, second.parent, memory.adapters.card(second.version).parent) == (None, None, None)


def test_a_night_that_trains_nothing_still_takes_deleted_weights_away(memory: HybridMemory) -> None:
    night(memory, FIRST)
    source = next(record for record in memory.list(kind="episode") if "Ana" in record.text)
    memory.delete(source.id)
    report = night(memory, {}, "retrieval")
    assert len(report.unlearned) == 1
    assert memory.adapters.active() is None
    assert not any(record.files for record in memory.adapters.list())


@pytest.mark.parametrize("strategy", ["retrieval", "full-context", "noop"])
def test_a_strategy_that_trains_nothing_still_reads_and_curates(memory: HybridMemory, strategy: str) -> None:
    report = night(memory, FIRST, strategy)
    assert (report.status, report.reason) == ("nothing", f"the strategy {strategy} trains nothing")
    assert {fact.object for fact in memory.ledger.facts(memory.namespace)} == set(FIRST.values())
    assert memory.adapters.list() == []


def test_a_strategy_of_ones_own_is_one_registration(memory: HybridMemory) -> None:
    registry.register(replace(registry.get("naive"), name="mine"))  # type: ignore[type-var]
    try:
        assert night(memory, FIRST, "mine").status == "promoted"
    finally:
        registry.unregister("mine")


def test_a_deletion_reaches_the_weights(memory: HybridMemory) -> None:
    night(memory, FIRST)
    source = next(record for record in memory.list(kind="episode") if "Ana" in record.text)
    memory.delete(source.id)
    assert recalled(memory, {"Ana": "Lisbon"}) == [False]
    assert memory.dream().status == "promoted"
    assert recalled(memory, FIRST) == [False, True]
    assert [record.version for record in memory.adapters.list() if record.files] == ["v0002"]


def test_a_dream_on_the_fake_loads_no_torch(tmp_path: Path) -> None:
    program = f"""
import sys
from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel
with HybridMemory.open({str(tmp_path / "memory")!r}, model=FakeModel(), embedder="hashing") as memory:
    memory.add("Ana lives in Lisbon.")
    assert memory.dream().status == "promoted"
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
