"""A ledger that is only read: nothing of it writes, and a copy has what the log alone held."""

from __future__ import annotations

import inspect
import sqlite3
from pathlib import Path

import pytest

from hybridmem.core.errors import ReadOnlyMemory
from hybridmem.core.records import Episode
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.read_only import WRITES, copied, read_only
from hybridmem.stores.ledger.redacted import READING, WRITING
from hybridmem.stores.ledger.sql.ledger import SqlLedger

READS = {
    *(
        "multi_valued",
        "preview",
        "get",
        "get_many",
        "episodes",
        "neighbours",
        "around",
        "latest",
        "days",
        "span",
        "facts",
        "speakers",
        "texts",
        "details",
        "said",
        "last_recorded",
        "identity",
        "erased",
        "matching",
        "changes",
        "blocks",
        "block_history",
        "standing_questions",
    ),
    *("history", "uses", "unextracted", "newest", "child_namespaces", "archive", "namespaces", "counts", "check"),
    *(
        "items",
        "adapters",
        "adapter",
        "adapter_summaries",
        "holdings",
        "active",
        "active_weights",
        "activations",
        "audits",
        "dreams",
    ),
    *("get_state", "pending", "last_pending", "acknowledged", "close", "touch", "acknowledge", "reset_consumer"),
    "expire_due",
}
"""What a read-only memory may call; the last four only concern its copy."""


def test_every_method_of_a_ledger_reads_or_is_refused(tmp_path: Path) -> None:
    methods = {name for name, _ in inspect.getmembers(Ledger) if not name.startswith("_")}
    assert methods == READS | WRITES, methods ^ (READS | WRITES)
    assert methods >= READING | WRITING
    ledger = read_only(InMemoryLedger(), tmp_path)
    for name in WRITES:
        with pytest.raises(ReadOnlyMemory, match="cannot be written to"):
            getattr(ledger, name)()
    assert ledger.namespaces() == []


def test_a_copy_has_what_is_not_yet_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = SqlLedger(path)
    ledger.append([Episode("ep_1", ("default",), "Ana lives in Porto.")])
    assert path.with_name("ledger.sqlite3-wal").stat().st_size
    copied(path, tmp_path / "copy.sqlite3")
    ledger.close()
    copy = SqlLedger(tmp_path / "copy.sqlite3")
    assert [each.text for each in copy.episodes(("default",))] == ["Ana lives in Porto."]
    copy.close()


def test_a_copy_is_made_of_the_files_where_sqlite_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = SqlLedger(path)
    ledger.append([Episode("ep_1", ("default",), "Ana lives in Porto.")])
    connect = sqlite3.connect

    def refuse(place: object, **options: bool) -> sqlite3.Connection:
        if options.get("uri"):
            raise sqlite3.OperationalError("unable to open database file")
        return connect(str(place))

    with monkeypatch.context() as without:
        without.setattr(sqlite3, "connect", refuse)
        copied(path, tmp_path / "copy.sqlite3")
    ledger.close()
    copy = SqlLedger(tmp_path / "copy.sqlite3")
    assert [each.text for each in copy.episodes(("default",))] == ["Ana lives in Porto."]
    copy.close()
