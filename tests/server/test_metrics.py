"""What an operator is told of dreams and of many namespaces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hybridmem.core.records import Check, DreamReport, ReaderUsage
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.metrics import Figures, last_dream, scrape
from hybridmem.server.tokens import Grant

AT = datetime(2026, 3, 1, tzinfo=UTC)


def night(number: int, status: str, forgetting: float | None = None, drift: float | None = None) -> DreamReport:
    measured = {"forgetting": forgetting, "drift": drift}
    gate = tuple(Check(name, value, 0.1, value <= 0.1) for name, value in measured.items() if value is not None)
    return DreamReport(
        f"d{number}",
        ("users", "ana"),
        status,
        number,
        AT,
        60.0,
        gate=gate,
        trained_tokens=1000 * number,  # type: ignore[arg-type]
    )


def test_the_last_dream_that_trained_says_what_was_forgotten() -> None:
    reports = [night(1, "promoted", 0.0, 0.01), night(2, "rejected", 0.2, 0.05), night(3, "nothing")]
    assert last_dream(reports) == {
        "seconds": 60.0,
        "trained_tokens": 3000.0,
        "ended_timestamp_seconds": AT.timestamp() + 60,
        "forgetting": 0.2,
        "drift_nats": 0.05,
    }
    assert last_dream([]) == {}


def test_the_last_dream_says_what_its_reader_took() -> None:
    priced = replace(night(1, "promoted"), reader=ReaderUsage(5, 70, 30, cost=0.5))
    found = last_dream([priced])
    assert (found["reader_tokens"], found["reader_cost"]) == (100.0, 0.5)
    assert "reader_cost" not in last_dream([replace(night(1, "promoted"), reader=ReaderUsage(5, 70, 30))])


def test_secrets_are_counted_by_kind_and_never_shown(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", namespace="users/ana", model=FakeModel(), embedder="hashing") as memory:
        memory.add("The wifi password is Tr0ub4dor&3, and the other password is hunter2xyz.")
        memory.add("My card is 4111 1111 1111 1111.")
        figures = Figures()
        page = scrape(figures, memory.ledger, Grant("", metrics=True)).decode()
        memory.add("Another password is S3cr3tW0rd.")
        again = scrape(figures, memory.ledger, Grant("", metrics=True)).decode()
    assert 'hybridmem_secrets{kind="password",namespace="users/ana"} 1.0' in again.splitlines(), "a count reads it all"
    lines = page.splitlines()
    assert 'hybridmem_secrets{kind="password",namespace="users/ana"} 1.0' in lines
    assert 'hybridmem_secrets{kind="card number",namespace="users/ana"} 1.0' in lines
    assert "Tr0ub4dor" not in page and "4111" not in page


@pytest.mark.parametrize(("grant", "sees"), [(Grant("", metrics=True), True), (Grant("", (("users", "ana"),)), False)])
def test_a_metrics_token_sees_every_namespace_and_another_only_its_own(
    tmp_path: Path, grant: Grant, sees: bool
) -> None:
    with HybridMemory.open(tmp_path / "memory", namespace="users/ana", model=FakeModel(), embedder="hashing") as memory:
        memory.add("Ana keeps bees.")
        memory.at("users/zane").add("Zane keeps ducks.")
        for report in (night(1, "promoted", 0.0, 0.01), night(2, "rejected", 0.2, 0.05)):
            memory.ledger.save_dream(report)
        page = scrape(Figures(), memory.ledger, grant).decode()
    lines = page.splitlines()
    assert 'hybridmem_memories{kind="episodes",namespace="users/ana"} 1.0' in lines
    assert ('hybridmem_memories{kind="episodes",namespace="users/zane"} 1.0' in lines) is sees
    assert 'hybridmem_dreams{namespace="users/ana",verdict="promoted"} 1.0' in lines
    assert 'hybridmem_dreams{namespace="users/ana",verdict="rejected"} 1.0' in lines
    assert 'hybridmem_last_dream_forgetting{namespace="users/ana"} 0.2' in lines
    assert 'hybridmem_last_dream_drift_nats{namespace="users/ana"} 0.05' in lines
