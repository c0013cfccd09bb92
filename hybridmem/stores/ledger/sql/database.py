"""The database under the ledger: transactions, durability, erasing to the last byte, and failures as our errors."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text, update
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError, ProgrammingError

from hybridmem.core.errors import (
    CorruptStore,
    HybridMemError,
    InvalidEncoding,
    MissingExtra,
    NotAMemory,
    ReadOnlyMemory,
    StoreBusy,
    StoreError,
    StoreFull,
)
from hybridmem.stores.ledger.sql import slots
from hybridmem.stores.ledger.sql.migrations import migrate
from hybridmem.stores.ledger.sql.tables import counters

BUSY_SECONDS = 30.0
"""How long a writer waits for another process before `StoreBusy`."""
GATHER_SECONDS = 0.2
"""How long a scrub waits for other threads' writes, among which there may be more to scrub."""

_BUSY = (StoreBusy, "another process holds the ledger: end it, or try again")
_FULL = (StoreFull, "the disk is full and nothing was stored: free some space, then try again")
_REFUSED = (StoreFull, "the disk refused to write and nothing was stored: free space or quota, then try again")
_READ_ONLY = (ReadOnlyMemory, "the memory folder cannot be written to: check its permissions, or open a copy of it")
_CORRUPT = (CorruptStore, "the ledger cannot be read: run hybridmem doctor, then restore ledger.sqlite3 from a backup")
_SQLITE: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_IOERR: _CORRUPT,
}
_SHUT = (ReadOnlyMemory, "the PostgreSQL ledger cannot be written to: open it as a role that may write to its database")
_LOST = (StoreError, "the PostgreSQL server ended the connection and what was being written is undone: try again")
_POSTGRESQL: dict[str, tuple[type[StoreError], str]] = {
    "53100": _FULL,
    "55P03": _BUSY,
    "40P01": _BUSY,
    "57014": _BUSY,
    "57P01": _LOST,
    "57P02": _LOST,
    "57P03": _LOST,
    "25006": _SHUT,
    "42501": _SHUT,
    "XX001": _CORRUPT,
    "XX002": _CORRUPT,
}
_ENCODING = (InvalidEncoding, "an id or a name has a NUL character or half of a character: remove it")
_REVISED = text("UPDATE counters SET value = value + 1 WHERE name = 'revision'")
_MIGRATION_LOCK = 0x68796D65
"""The PostgreSQL advisory lock that one migration at a time holds."""


class Database:
    """One SQLite file (given as a path) or one PostgreSQL database (given as a URL), migrated when this returns.

    Raises `NotAMemory`, `CorruptStore`, `NewerFormat`, `ReadOnlyMemory`, `StoreBusy` or `StoreFull`.
    """

    def __init__(self, location: Path | str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        url = URL.create("sqlite", database=str(location)) if isinstance(location, Path) else _url(location)
        if isinstance(location, Path) and not location.parent.is_dir():
            raise NotAMemory(f"there is no folder {location.parent}: create it, or name another with --memory")
        self._busy_seconds = busy_seconds
        self._engine = _engine(url, busy_seconds)
        self._sqlite = self._engine.dialect.name == "sqlite"
        self._reader = self._engine
        if not self._sqlite:
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self._engine.execution_options(hybridmem_write="durable")
        self._relaxed = self._engine.execution_options(hybridmem_write="relaxed")
        # SQLite has one writer, and those who wait for it sleep up to a tenth of a second at a time, in no order:
        # threads of one process wait for each other here instead.
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.RLock() if self._sqlite else contextlib.nullcontext()
        )
        self._writers, self._counting = 0, threading.Lock()
        self._scrubbing, self._scrubs, self._scrubbed = threading.Lock(), 0, True
        try:
            self._prepare()
        except StoreError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True, revises: bool = True) -> Iterator[Connection]:
        """One transaction, alone among writers: committed and on disk after the block, or undone by its exception.

        Without `durable` a power cut may undo it, whole; a crash of the process does not.
        Unless it `revises` the ledger, what readers keep of it goes on to hold.
        """
        writer = self._writer if durable else self._relaxed
        with self._in_turn(), _translated(), writer.begin() as connection:
            if not self._sqlite:
                connection.execute(text("SELECT value FROM counters WHERE name = 'position' FOR UPDATE"))
            if revises:
                connection.execute(_REVISED)
            yield connection

    @property
    def writing(self) -> bool:
        """Whether a thread of this process writes, or waits to."""
        return self._writers > 0

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        with self._counting:
            self._writers += 1
        try:
            with self._turn:
                yield
        finally:
            with self._counting:
                self._writers -= 1

    def require_scrub(self, connection: Connection) -> None:
        """Have the next `scrub` do its work, once this transaction is committed."""
        if self._sqlite:
            # Counted, so that a process that scrubs now does not take this for done.
            connection.execute(update(counters).where(counters.c.name == "scrub").values(value=counters.c.value + 1))

    def scrub(self) -> bool:
        """Make what was deleted unreadable in the files, if that is due; returns whether nothing is left to do.

        `secure_delete` zeroes deleted cells, but not the copies that a page keeps when its cells are moved to a
        neighbour (about one deleted row in 650 stayed readable): only VACUUM rewrites those pages. Truncating the
        write-ahead log removes what the log repeats. The counter `scrub` stays set until both are done, so that the
        next open finishes what a crash interrupted. PostgreSQL keeps dead rows until its own vacuum: False there.

        Threads that wait for it share one: it takes as long for one deletion as for many.
        """
        if not self._sqlite:
            return False
        before = self._scrubs
        with self._scrubbing:
            if self._scrubs == before:
                self._let_others_write()
                with self._in_turn():
                    self._scrubs += 1
                    self._scrubbed = self._scrub()
            return self._scrubbed

    def _let_others_write(self) -> None:
        patience = time.monotonic() + GATHER_SECONDS
        while self.writing and time.monotonic() < patience:
            time.sleep(GATHER_SECONDS / 100)

    def _scrub(self) -> bool:
        with self.read() as connection:
            due = connection.execute(select(counters.c.value).where(counters.c.name == "scrub")).scalar_one()
        if not due:
            return True
        try:
            with _translated():
                self._raw("VACUUM")
                blocked = self._raw("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        except (StoreBusy, StoreFull):
            return False
        if blocked:
            return False
        with self.write() as connection:
            done = update(counters).where(counters.c.name == "scrub", counters.c.value == due).values(value=0)
            return bool(connection.execute(done).rowcount)

    def problems(self) -> list[str]:
        """What the database says about its own soundness."""
        if not self._sqlite:
            return []
        try:
            with self.read() as connection:
                sound = connection.execute(text("PRAGMA integrity_check")).scalars().all()
                broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        except CorruptStore as error:
            return [str(error)]
        return [f"integrity: {line}" for line in sound if line != "ok"] + [
            f"{row[0]}: row {row[1]} refers to a missing row of {row[2]}" for row in broken
        ]

    def close(self) -> None:
        self._engine.dispose()

    def _prepare(self) -> None:
        with _translated():
            if self._sqlite and (mode := self._write_ahead()) != "wal":
                raise StoreError(f"SQLite keeps journal mode {mode!r} here: put the memory on a local disk")
            with self._writer.begin() as connection:
                if not self._sqlite:
                    _require_unicode(connection)
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                migrate(connection)
                slots.renew(connection)
            with self._writer.connect() as connection:
                # SQLite opens a read-only file without a word: try it, on the row that every writer takes first. Of
                # several rows, two that open a PostgreSQL ledger at once would wait for each other.
                connection.execute(update(counters).where(counters.c.name == "position").values(value=counters.c.value))
                connection.rollback()
        self.scrub()

    def _write_ahead(self) -> str:
        """Turn the write-ahead log on; returns the journal mode. For this SQLite does not wait, as it does for a lock:
        where two processes open a new ledger at once, one of them is told that it is locked."""
        patience = time.monotonic() + self._busy_seconds
        while True:
            try:
                return str(self._raw("PRAGMA journal_mode = WAL")[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                    raise
                time.sleep(0.02)

    def _raw(self, statement: str) -> tuple[Any, ...]:
        """Run a SQLite statement that must stand outside a transaction; returns its first row, if any."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(statement)
                return tuple(cursor.fetchone() or ())
            finally:
                cursor.close()
        finally:
            connection.close()


def _url(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise NotAMemory("that is no URL of a database: write postgresql://USER@HOST:PORT/DATABASE") from None
    # The spelling that many a host of databases hands out.
    return url.set(drivername="postgresql") if url.drivername == "postgres" else url


def _engine(url: URL, busy_seconds: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if url.get_backend_name() != "postgresql":
        raise NotAMemory(f"a ledger cannot live in {url.get_backend_name()}: name a folder or a postgresql:// URL")
    own = url.query.get("options", "")
    options = f"-c lock_timeout={int(busy_seconds * 1000)} {own if isinstance(own, str) else ' '.join(own)}"
    url = url.set(drivername="postgresql+psycopg")
    try:
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,  # a server that was restarted has closed the connections that wait here
            connect_args={"options": options.strip(), "client_encoding": "utf8"},
        )
    except ModuleNotFoundError:
        raise MissingExtra("PostgreSQL needs its driver: pip install 'hybridmem[postgresql]'") from None


def _require_unicode(connection: Connection) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise NotAMemory(f"the database holds text as {encoding}: make another, with createdb --encoding UTF8")


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # or the driver would open transactions of its own, and not around DDL
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """BEGIN, with the write lock from the start for writers: a read lock that is upgraded later can only fail."""
    wanted = connection.get_execution_options().get("hybridmem_write")
    relaxed = wanted == "relaxed"
    if connection.info.get("relaxed", False) != relaxed:
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
        connection.info["relaxed"] = relaxed
    connection.exec_driver_sql("BEGIN IMMEDIATE" if wanted else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Database failures that a user can meet, as hybridmem's errors; their text names no stored words."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, UnicodeEncodeError) as error:  # sqlite3's own: what a new connection raises
        found = _meaning(error)
        if found is None:
            raise
        kind, advice = found
        raise kind(advice) from error


def _meaning(error: DBAPIError | sqlite3.Error | UnicodeEncodeError) -> tuple[type[HybridMemError], str] | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, UnicodeEncodeError):
        return _ENCODING
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        if code == sqlite3.SQLITE_IOERR_SHMSIZE:
            return _FULL
        if code == sqlite3.SQLITE_IOERR_WRITE:
            return _REFUSED  # A quota, or a limit on file sizes: SQLite calls only ENOSPC a full disk.
        return _SQLITE.get(code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state)
    # What psycopg itself refuses, or could not ask the server.
    if isinstance(error, DataError):
        return _ENCODING
    if isinstance(error, OperationalError | ProgrammingError):
        reason = str(cause).strip().partition("\n")[0]
        return StoreError, f"the PostgreSQL ledger cannot be reached ({reason}): check the URL and that the server runs"
    return None
