"""Uses are counted, and no search waits for another thread's write to have its own counted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from hybridmem.core.clock import utc_now
from hybridmem.core.records import Episode
from hybridmem.stores.ledger.sql.ledger import SqlLedger

ANA = ("users", "ana")


def test_a_use_does_not_wait_for_a_writer_and_is_counted_all_the_same(tmp_path: Path) -> None:
    ledger = SqlLedger(tmp_path / "ledger.sqlite3")
    ledger.append([Episode("e1", ANA, "Ana moved to Lisbon.")])
    begun, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with ledger._database.write():
            begun.set()
            assert go_on.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(10)
    started = time.monotonic()
    for _ in range(3):
        ledger.touch(ANA, ["e1", "e1", "gone"], utc_now())
    assert time.monotonic() - started < 5
    assert writer.is_alive()
    go_on.set()
    writer.join(10)
    ledger.touch(ANA, ["e1"], utc_now())
    ledger.close()
    again = SqlLedger(tmp_path / "ledger.sqlite3")
    assert again.uses(ANA, ["e1", "gone"]) == {"e1": 4, "gone": 0}
    again.close()


def test_what_waits_is_counted_when_the_ledger_closes_or_is_asked(tmp_path: Path) -> None:
    ledger = SqlLedger(tmp_path / "ledger.sqlite3")
    ledger.append([Episode("e1", ANA, "Ana moved to Lisbon.")])
    ledger._usage.add(ANA, ["e1"], utc_now())
    assert ledger.uses(ANA, ["e1"]) == {"e1": 1}
    ledger._usage.add(ANA, ["e1"], utc_now())
    ledger.close()
    again = SqlLedger(tmp_path / "ledger.sqlite3")
    assert again.uses(ANA, ["e1"]) == {"e1": 2}
    again.close()


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    ledger = SqlLedger(tmp_path / "ledger.sqlite3", busy_seconds=0.1)
    threads = [
        threading.Thread(target=lambda at=at: ledger.append([Episode(f"e{at}", ANA, f"note {at}")])) for at in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ledger.episodes(ANA)) == 24
    assert not ledger._database.writing
    ledger.close()
