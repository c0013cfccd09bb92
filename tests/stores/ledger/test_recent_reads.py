"""What a ledger keeps of its readings: nobody may ever see what was replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from hybridmem.router.calibration import Calibration
from hybridmem.stores.ledger.lineage import pooled
from hybridmem.stores.ledger.sql import recent_reads
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, adapter, audit, day, fact, item, report


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SqlLedger, SqlLedger]]:
    """One ledger, as two processes open it."""
    ledgers = SqlLedger(tmp_path / "ledger.sqlite3"), SqlLedger(tmp_path / "ledger.sqlite3")
    yield ledgers
    for ledger in ledgers:
        ledger.close()


def test_what_another_process_writes_is_read_at_once(two: tuple[SqlLedger, SqlLedger]) -> None:
    here, there = two
    there.put_fact(fact("f1"))
    there.save_adapter(adapter("v1", ("f1",)))
    assert here.active_weights(ANA, [NOW]).adapter is None and here.get_state(ANA, Calibration) is None
    there.activate(ANA, "v1", NOW)
    assert here.active_weights(ANA, [NOW]).adapter == there.active(ANA)
    there.put_state(ANA, Calibration(threshold=0.75))
    found = here.get_state(ANA, Calibration)
    assert found and found.threshold == 0.75
    there.save_audits(ANA, [audit("v1", "f1")])
    assert list(here.active_weights(ANA, [NOW]).audits) == ["f1"]
    there.erase(ANA, "f1", NOW)
    tainted = here.active_weights(ANA, [NOW]).adapter
    assert tainted and tainted.tainted == ("f1",)


def test_a_question_is_answered_from_what_was_read_before_until_something_is_written(
    two: tuple[SqlLedger, SqlLedger],
) -> None:
    ledger, _ = two
    ledger.put_fact(fact("f1"))
    ledger.save_adapter(adapter("v1", ("f1",)))
    ledger.activate(ANA, "v1", NOW)
    ledger.save_dream(report("d1"))
    statements: list[str] = []
    event.listen(ledger._database._engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def asked() -> int:
        statements.clear()
        ledger.active_weights(ANA, [NOW])
        ledger.get_state(ANA, Calibration)
        return sum("SELECT" in each for each in statements)

    assert asked() > 4
    assert asked() == 2
    # A use is counted after every answer, and the indexes follow after every write: neither tells anything new.
    ledger.touch(ANA, ["f1"], NOW)
    ledger.acknowledge("graph", 1)
    assert asked() == 2
    ledger.put_fact(fact("f2", namespace=BEN))
    assert asked() > 4


def test_only_so_much_is_kept(two: tuple[SqlLedger, SqlLedger], monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, _ = two
    monkeypatch.setattr(recent_reads, "MOST", 3)
    for number in range(9):
        ledger.get_state(("users", str(number)), Calibration)
    kept: Any = ledger._recent._kept
    assert [namespace[1] for _, namespace in kept] == ["6", "7", "8"]


def test_nothing_of_what_was_erased_stays_in_memory(two: tuple[SqlLedger, SqlLedger]) -> None:
    here, there = two
    there.put_fact(fact("f1"))
    there.save_items([item("i1", "f1")])
    assert [each.id for each in here.items(ANA, ["f1"])] == ["i1"]
    there.erase(ANA, "f1", NOW)
    here.get_state(BEN, Calibration)
    kept: Any = here._recent._kept
    assert "i1" not in repr(dict(kept)) and len(kept) == 1
    assert here.items(ANA, ["f1"]) == []


def test_the_splits_of_a_fact_are_one_audit() -> None:
    found = pooled([audit("v1", "f1", 3), audit("v1", "f2", 0), audit("v1", "f1", 2)])
    assert {id: (each.asked, each.right) for id, each in found.items()} == {"f1": (8, 5), "f2": (4, 0)}


def test_time_alone_makes_what_was_read_lapse(two: tuple[SqlLedger, SqlLedger]) -> None:
    ledger, _ = two
    ledger.put_fact(fact("f1", valid_to=day(80)))
    ledger.save_adapter(adapter("v1", ("f1",)))
    ledger.activate(ANA, "v1", NOW)

    def tainted(at: int) -> object:
        found = ledger.active_weights(ANA, [day(at)]).adapter
        return found and found.tainted

    assert [tainted(79), tainted(80), tainted(79)] == [(), ("f1",), ()]
