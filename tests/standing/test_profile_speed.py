"""A profile of a large memory: milliseconds, whatever happened just before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from hybridmem.core.records import Episode, Fact
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.stores.ledger.archive import Archive
from tests.standing.conftest import NOON

MEMORIES, FACTS, LOOKS = 100_000, 40_000, 200
BOUND = 0.005
"""Seconds at the 95th percentile. Of the processor: what else the machine does counts little."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridMemory]:
    with HybridMemory.open(
        tmp_path_factory.mktemp("large") / "m", model=FakeModel(), embedder="hashing", clock=lambda: NOON
    ) as memory:
        said = [
            Episode(f"ep_{number}", memory.namespace, f"I told you of thing {number}.", at=NOON, recorded_at=NOON)
            for number in range(MEMORIES - FACTS)
        ]
        facts = [
            Fact(
                f"fa_{number}", memory.namespace, ("I", "Ana", "Ben")[number % 3], f"keeps as number {number}", "x",
                f"Somebody keeps thing number {number} in the cellar.", NOON, sources=(f"ep_{number}",),
                recorded_at=NOON - timedelta(minutes=number), evidence=1 + number % 5,
            )
            for number in range(FACTS)
        ]  # fmt: skip
        memory.ledger.restore(memory.namespace, Archive((*said, *facts), frozenset(), ()))
        memory.profile()
        yield memory


def nothing(memory: HybridMemory, number: int) -> None:
    pass


def said(memory: HybridMemory, number: int) -> None:
    memory.ledger.append([Episode(f"new_{number}", memory.namespace, "More.", at=NOON, recorded_at=NOON)])


def stated(memory: HybridMemory, number: int) -> None:
    memory.add_fact("I", f"newly keep as number {number}", "x")


def gone(memory: HybridMemory, number: int) -> None:
    memory.quarantine(memory.profile().lines[number % 3].facts[0])


@pytest.mark.slow
@pytest.mark.parametrize("before", [nothing, said, stated, gone])
def test_a_profile_takes_milliseconds_at_100_thousand_memories(
    large: HybridMemory, before: Callable[[HybridMemory, int], None]
) -> None:
    took, waited = [], []
    for number in range(LOOKS):
        before(large, number)
        started, began = time.process_time(), time.perf_counter()
        known = large.profile()
        took.append(time.process_time() - started)
        waited.append(time.perf_counter() - began)
        assert len(known.lines) > 40
    for name, seconds in (("processor", took), ("wall", waited)):
        p50, p95 = (1000 * sorted(seconds)[int(share * LOOKS)] for share in (0.5, 0.95))
        print(f"{before.__name__}, {name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    assert sorted(took)[int(0.95 * LOOKS)] < BOUND
