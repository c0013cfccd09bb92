"""The SQL ledger: it conforms, and its files, failures and processes behave."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect

from hybridmem.core.errors import (
    CorruptStore,
    HybridMemError,
    InvalidEncoding,
    NewerFormat,
    NotAMemory,
    ReadOnlyMemory,
    StoreBusy,
    StoreError,
    StoreFull,
)
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from hybridmem.stores.ledger.sql.migrations import migrations, statements
from hybridmem.testing.ledger_conformance import LedgerConformance
from hybridmem.testing.ledger_samples import ANA, NOW, adapter, audit, episode, fact, item, report
from tests import postgresql


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger]:
    ledger = SqlLedger(path)
    yield ledger
    ledger.close()


class TestSqlLedger(LedgerConformance):
    @pytest.fixture
    def ledger(self, path: Path) -> Iterator[SqlLedger]:
        ledger = SqlLedger(path)
        yield ledger
        ledger.close()


@postgresql.needed
class TestSqlLedgerOnPostgresql(LedgerConformance):
    @pytest.fixture
    def ledger(self) -> Iterator[SqlLedger]:
        ledger = postgresql.emptied()
        yield ledger
        ledger.close()

    def test_errors_name_no_stored_words(self, ledger: SqlLedger) -> None:
        with ledger._database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE episodes ADD CONSTRAINT broken CHECK (text NOT LIKE 'SECRET%%')")
        try:
            with pytest.raises(HybridMemError) as caught:
                ledger.append([episode("e1", "SECRET")])
            assert "SECRET" not in f"{caught.value!r} {caught.value.__cause__!r}"
        finally:
            with ledger._database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE episodes DROP CONSTRAINT broken")

    def test_a_server_that_was_restarted_is_asked_again(self, ledger: SqlLedger) -> None:
        ledger.append([episode("e1")])
        other = SqlLedger(postgresql.URL)
        with other._database.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        other.close()
        assert [e.id for e in ledger.episodes(ANA)] == ["e1"]

    def test_many_open_it_at_once_beside_a_writer(self, ledger: SqlLedger) -> None:
        """Each of two waited for a row that the other had locked."""

        def opened(number: int) -> None:
            for turn in range(4):
                other = SqlLedger(postgresql.URL)
                other.append([episode(f"e{number}-{turn}")])
                other.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(opened, range(6)))
        assert len(ledger.episodes(ANA)) == 24

    def test_ids_that_no_text_can_hold_are_refused_by_name(self, ledger: SqlLedger) -> None:
        for ask in (lambda: ledger.get(ANA, "e\x00"), lambda: ledger.adapter(ANA, "v\x00")):
            with pytest.raises(InvalidEncoding, match="NUL"):
                ask()

    def test_another_programs_tables_and_encoding_are_refused(self, ledger: SqlLedger) -> None:
        with ledger._database.write() as connection:
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS theirs")
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS theirs.migrations (id INTEGER, migration TEXT)")
        url = postgresql.URL + ("&" if "?" in postgresql.URL else "?")
        with pytest.raises(NotAMemory, match=r"migrations .*search_path"):
            SqlLedger(f"{url}options=-csearch_path%3Dtheirs")
        with pytest.raises(ReadOnlyMemory, match="a role that may write"):
            SqlLedger(f"{url}options=-cdefault_transaction_read_only%3Don")
        with pytest.raises(StoreError, match='invalid connection option "colour"'):
            SqlLedger(f"{url}colour=red")


def files(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


# what is kept, and where
def test_a_reopened_ledger_is_the_same(path: Path) -> None:
    first = SqlLedger(path)
    stored = first.append([episode("e1", metadata={"a": 1})])
    first.close()
    again = SqlLedger(path)
    assert again.episodes(ANA) == stored
    assert again.append([episode("e2")])[0].position > stored[0].position
    again.close()
    assert [file.name for file in path.parent.iterdir()] == ["ledger.sqlite3"]


def test_every_connection_is_durable_and_checks_references(ledger: SqlLedger) -> None:
    ledger.append([episode("e1")])
    ledger.touch(ANA, ["e1"], NOW)  # leaves its connection less durable, for the next writer to put right
    with ledger._database.write() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 2, 1, 1, 30_000]


def test_the_migrations_make_the_tables_that_the_code_reads(ledger: SqlLedger) -> None:
    with ledger._database.read() as connection:
        found = inspect(connection)
        made = {name: {c["name"] for c in found.get_columns(name)} for name in found.get_table_names()}
    read = {name: set(table.columns.keys()) for name, table in tables.metadata.tables.items()}
    assert made == {**read, "migrations": {"number", "name"}}


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))
    assert all(list(statements(script)) for _, _, script in migrations())


def test_a_ledger_is_opened_with_other_relations_that_hold_several_values(path: Path) -> None:
    ledger = SqlLedger(path, multi_valued={"Lives in"})
    assert ledger.multi_valued == {"lives in"}
    for number, (relation, value) in enumerate((("lives in", "Oslo"), ("lives in", "Rome"), ("likes", "tea"))):
        ledger.put_fact(fact(f"f{number}", value, number, relation=relation), replace=None)
    ledger.put_fact(fact("f3", "chess", 3, relation="likes"), replace=None)
    assert [f.object for f in ledger.facts(ANA)] == ["Oslo", "Rome", "chess"]
    ledger.close()


# erasing
def test_no_byte_of_an_erased_text_stays_in_the_files(ledger: SqlLedger, path: Path) -> None:
    ledger.append([episode(f"e{n}", f"TOKEN{n:03d}A " + "filler " * (n % 40) * 30) for n in range(120)])
    for n in range(0, 120, 3):
        ledger.update_text(ANA, f"e{n}", f"TOKEN{n:03d}B " + "longer " * (n % 70) * 20, NOW)
        ledger.put_fact(fact(f"f{n}", f"TOKEN{n:03d}C", n, (f"e{n}",), text=f"Ana lives in TOKEN{n:03d}D."))
        ledger.save_items([item(f"i{n}", f"f{n}", answer=f"TOKEN{n:03d}E")])
        ledger.set_quarantine(ANA, f"e{n}", n % 2 == 0, NOW)
    ledger.save_adapter(adapter("v1", ("f0", "f3")))
    ledger.save_audits(ANA, [audit("v1", "f0")])
    ledger.save_dream(report("d1"))
    for n in range(0, 120, 4):
        assert ledger.erase(ANA, f"e{n}", NOW).scrubbed
    left = {int(number) for number in re.findall(rb"TOKEN(\d{3})", files(path))}
    assert left == {n for n in range(120) if n % 4}
    assert ledger.check() == []


def test_moving_cells_leaves_no_readable_copy(ledger: SqlLedger, path: Path) -> None:
    """`secure_delete` alone fails this: a page keeps copies of the cells that it hands to a neighbour."""
    chance, gone = random.Random(1), {0}
    ledger.append([episode(f"e{n}", f"TOKEN{n:04d} " + "word " * chance.randrange(40)) for n in range(3000)])
    with ledger._database.write() as connection:
        for n in (chance.randrange(1, 3000) for _ in range(3000)):
            if n not in gone and chance.random() < 0.5:
                grown = f"TOKEN{n:04d} " + "longer " * chance.randrange(80)
                connection.exec_driver_sql("UPDATE episodes SET text = ? WHERE id = ?", (grown, f"e{n}"))
            else:
                connection.exec_driver_sql("DELETE FROM episodes WHERE id = ?", (f"e{n}",))
                gone.add(n)
    ledger.erase(ANA, "e0", NOW)
    assert {int(number) for number in re.findall(rb"TOKEN(\d{4})", files(path))} & gone == set()


def test_threads_that_erase_at_once_share_a_scrub(
    ledger: SqlLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append([episode(f"e{n}", f"TOKEN{n:03d}") for n in range(12)])
    run: list[str] = []
    real = ledger._database._raw

    def counted(statement: str) -> tuple[Any, ...]:
        run.append(statement)
        time.sleep(0.05)  # so that the others come while it runs
        return real(statement)

    monkeypatch.setattr(ledger._database, "_raw", counted)
    with ThreadPoolExecutor(12) as pool:
        erased = list(pool.map(lambda n: ledger.erase(ANA, f"e{n}", NOW), range(12)))
    assert all(each.scrubbed for each in erased)
    assert run.count("VACUUM") <= 4
    assert b"TOKEN" not in files(path)
    assert ledger.check() == []


def test_a_scrub_leaves_what_another_process_erases_meanwhile_to_be_scrubbed(
    ledger: SqlLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append([episode("e1", "TOKEN1"), episode("e2", "TOKEN2")])
    other = SqlLedger(path)
    monkeypatch.setattr(other._database, "scrub", lambda: False)
    real = ledger._database._raw

    def interrupted(statement: str) -> tuple[Any, ...]:
        result = real(statement)
        if statement == "VACUUM":
            other.erase(ANA, "e2", NOW)
        return result

    monkeypatch.setattr(ledger._database, "_raw", interrupted)
    assert ledger.erase(ANA, "e1", NOW).scrubbed is False
    other.close()
    assert ledger.check() == ["an erased text may still be in the files: scrub"]
    again = SqlLedger(path)
    assert again.check() == []
    again.close()


def test_an_erasure_that_a_reader_holds_up_is_finished_by_the_next_open(path: Path) -> None:
    ledger = SqlLedger(path, busy_seconds=0.1)
    ledger.append([episode("e1", "SECRET")])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM episodes").fetchall()
    assert ledger.erase(ANA, "e1", NOW).scrubbed is False
    assert ledger.check() == ["an erased text may still be in the files: scrub"]
    reader.close()
    ledger.close()
    again = SqlLedger(path)
    assert again.check() == []
    assert b"SECRET" not in files(path)
    again.close()


# failures
def test_a_file_that_is_not_a_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"This is not a database, but a long enough letter. " * 50)
    before = path.read_bytes()
    with pytest.raises(CorruptStore, match="hybridmem doctor"):
        SqlLedger(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_reported(path: Path) -> None:
    ledger = SqlLedger(path)
    ledger.append([episode(f"e{n}", "words " * 200) for n in range(200)])
    ledger.close()
    content = bytearray(path.read_bytes())
    content[20_000 : len(content) - 4096] = os.urandom(len(content) - 24_096)
    path.write_bytes(content)
    with pytest.raises(CorruptStore):  # at open or by check, as the damaged page has it
        damaged = SqlLedger(path)
        problems = damaged.check()
        damaged.close()
        raise CorruptStore(problems[0])


def test_slots_of_an_earlier_release_are_compared_as_now(path: Path) -> None:
    """It took one name in two compositions for two."""
    composed, apart = "Jos\u00e9", "Jose\u0301"
    first = SqlLedger(path)
    for number, name in enumerate((composed, "Ana")):
        first.put_fact(fact(f"f{number}", "Porto", subject=name))
    first.close()
    with sqlite3.connect(path) as other:
        was = dict(other.execute("SELECT id, slot FROM facts"))
        other.execute("UPDATE facts SET subject = ?, slot = 'of old' WHERE id = 'f0'", (apart,))
        other.execute("DELETE FROM counters WHERE name = 'slots'")
    again = SqlLedger(path)
    with sqlite3.connect(path) as other:
        assert dict(other.execute("SELECT id, slot FROM facts")) == was
    again.put_fact(fact("f2", "Lisbon", 1, subject=composed))
    assert [stored.object for stored in again.facts(ANA)] == ["Porto", "Lisbon"]
    assert again.get(ANA, "f0").superseded_by == "f2"
    again.close()


def test_another_programs_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE albums (title TEXT)")
    with pytest.raises(NotAMemory, match="albums"):
        SqlLedger(path)


def test_a_newer_format_is_refused(path: Path) -> None:
    SqlLedger(path).close()
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO migrations VALUES (9999, 'of the future')")
    with pytest.raises(NewerFormat, match="upgrade"):
        SqlLedger(path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAMemory):
        SqlLedger(tmp_path / "nowhere" / "ledger.sqlite3")
    with pytest.raises(NotAMemory):
        SqlLedger("mysql://localhost/memory")
    for broken in ("postgresql://localhost:port/memory", "postgresql"):
        with pytest.raises(NotAMemory, match="postgresql://USER@HOST:PORT/DATABASE"):
            SqlLedger(broken)


def test_a_version_that_no_text_can_hold_is_refused_by_name(ledger: SqlLedger) -> None:
    with pytest.raises(InvalidEncoding, match="half of a character"):
        ledger.adapter(ANA, "v\ud83d")


def test_a_read_only_ledger_is_refused(path: Path) -> None:
    SqlLedger(path).close()
    with pytest.raises(ReadOnlyMemory):
        SqlLedger(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(ReadOnlyMemory):
        SqlLedger(f"sqlite:///file:{path.parent / 'absent.sqlite3'}?mode=ro&uri=true")


def test_a_writer_waits_and_then_says_that_the_store_is_busy(path: Path) -> None:
    ledger = SqlLedger(path, busy_seconds=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        ledger.append([episode("e1")])
    assert ledger.episodes(ANA) == []  # readers are not held up
    other.execute("ROLLBACK")
    assert ledger.append([episode("e1")])
    other.close()
    ledger.close()


def test_a_full_disk_loses_nothing_that_was_acknowledged(ledger: SqlLedger) -> None:
    ledger.append([episode("e1")])

    def limit(pages: int) -> None:
        with ledger._database.read() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with ledger._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limit(pages + 2)
    with pytest.raises(StoreFull, match="nothing was stored"):
        ledger.append([episode(f"n{n}", "words " * 1000) for n in range(50)])
    assert [e.id for e in ledger.episodes(ANA)] == ["e1"]
    assert ledger.check() == []
    limit(1_000_000)
    assert len(ledger.append([episode(f"n{n}", "words " * 1000) for n in range(50)])) == 50


def test_errors_name_no_stored_words(ledger: SqlLedger) -> None:
    with ledger._database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON episodes BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(HybridMemError) as caught:
        ledger.append([episode("e1", "SECRET")])
    assert "SECRET" not in f"{caught.value!r} {caught.value.__cause__!r}"


class Fault(Exception):
    """The process stops here."""


WRITES: dict[str, Callable[[SqlLedger], Any]] = {
    "append": lambda ledger: ledger.append([episode("n1"), episode("n2")]),
    "put_fact": lambda ledger: ledger.put_fact(fact("n1", "Oslo", 9, ("e2",))),
    "contradicting fact": lambda ledger: ledger.put_fact(fact("n1", "Oslo", 9, ("e2",), trust="web")),
    "late fact": lambda ledger: ledger.put_fact(fact("n1", "Rome", -9, ("e2",))),
    "update_text": lambda ledger: ledger.update_text(ANA, "e1", "new", NOW),
    "set_quarantine": lambda ledger: ledger.set_quarantine(ANA, "e1", True, NOW),
    "expire": lambda ledger: ledger.expire(ANA, "f1", NOW),
    "erase": lambda ledger: ledger.erase(ANA, "e1", NOW),
    "erase_all": lambda ledger: ledger.erase_all(ANA, ["e1", "e2"], NOW),
    "put_episodes": lambda ledger: ledger.put_episodes([episode("e1", "new"), episode("e2"), episode("n1")], NOW),
    "activate": lambda ledger: ledger.activate(ANA, "v2", NOW),
    "save_adapter": lambda ledger: ledger.save_adapter(adapter("v1", ("f2",))),
    "save_items": lambda ledger: ledger.save_items([item("i1", "f2"), item("i9", "f1")]),
    "save_audits": lambda ledger: ledger.save_audits(ANA, [audit("v1", "f1"), audit("v1", "f2")]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_that_fails_at_any_statement_leaves_nothing(path: Path, write: Callable[[SqlLedger], Any]) -> None:
    ledger = SqlLedger(path)
    ledger.append([episode("e1"), episode("e2")])
    ledger.put_fact(fact("f1", sources=("e1",)))
    ledger.put_fact(fact("f2", "ferrets", sources=("e1", "e2"), relation="keeps"))
    ledger.save_items([item("i1", "f1")])
    for version in ("v1", "v2"):
        ledger.save_adapter(adapter(version, ("f1", "f2")))
    ledger.activate(ANA, "v1", NOW)
    before = dump(path)
    state = {"left": 0}

    def fail(*_: Any) -> None:
        state["left"] -= 1
        if state["left"] < 0:
            raise Fault

    event.listen(ledger._database._engine, "before_cursor_execute", fail)
    failures = 0
    while True:
        state["left"] = failures
        try:
            write(ledger)
        except Fault:
            after = dump(path)
            if after == before:
                failures += 1
                continue
        break
    event.remove(ledger._database._engine, "before_cursor_execute", fail)
    assert failures >= 3
    assert dump(path) != before
    assert [problem for problem in ledger.check() if "erased text" not in problem] == []
    ledger.close()


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as other:
        return list(other.iterdump())


# processes
def _append(path: Path, writer: int, count: int) -> None:
    ledger = SqlLedger(path)
    for number in range(count):
        ledger.append([episode(f"w{writer}-{number}")])
    ledger.close()


def test_four_processes_append_and_nothing_is_lost(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append, args=(path, writer, 200)) for writer in range(4)]
    for process in writers:
        process.start()  # all of them open an empty folder at once
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0] * 4
    ledger = SqlLedger(path)
    stored = ledger.episodes(ANA)
    assert {e.id for e in stored} == {f"w{writer}-{number}" for writer in range(4) for number in range(200)}
    assert [e.position for e in stored] == sorted({e.position for e in stored})
    for writer in range(4):
        mine = [e.id for e in stored if e.id.startswith(f"w{writer}-")]
        assert mine == [f"w{writer}-{number}" for number in range(200)]
    assert ledger.check() == []
    ledger.close()
