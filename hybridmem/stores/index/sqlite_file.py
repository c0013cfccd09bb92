"""An SQLite file that an index keeps, in which what is deleted is overwritten."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridmem.core.errors import CorruptStore, ReadOnlyMemory, StoreBusy, StoreError, StoreFull

BUSY_SECONDS = 30.0
"""How long to wait for another process before `StoreBusy`."""

_ERRORS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, "another process holds {path}: try again when it has finished"),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "another process holds {path}: try again when it has finished"),
    sqlite3.SQLITE_FULL: (StoreFull, "the disk that holds {path} is full: make room and try again"),
    sqlite3.SQLITE_READONLY: (ReadOnlyMemory, "{path} cannot be written to: check its permissions"),
    sqlite3.SQLITE_CANTOPEN: (ReadOnlyMemory, "{path} cannot be opened: check the folder and its permissions"),
    sqlite3.SQLITE_CORRUPT: (CorruptStore, "{path} is damaged: delete it and run `hybridmem reindex`"),
    sqlite3.SQLITE_NOTADB: (CorruptStore, "{path} is no SQLite database: delete it and run `hybridmem reindex`"),
}


class SqliteFile:
    """The SQLite file `path`, which is made where it is missing; several threads and processes may use it at once.

    Freed pages are zeroed (`secure_delete`), and `truncate_log` empties the write-ahead log. `page_size` is that of a
    new file, in bytes. Every use raises `StoreBusy`, `StoreFull`, `ReadOnlyMemory` or `CorruptStore`."""

    def __init__(self, path: Path, *, page_size: int = 4096) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute(f"PRAGMA page_size = {page_size:d}")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")

    @contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone."""
        with self._errors():
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, whose writes within count together or not at all; no other process writes meanwhile."""
        with self.use():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                # A full disk has rolled it back already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection, which within sees one state of the file, whatever other processes write."""
        with self.use():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def truncate_log(self) -> None:
        """Leave nothing of what was deleted or replaced in the write-ahead log."""
        with self.use():
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreBusy(
                f"another process reads {self._path}, so that deleted text is still in its log: delete once more"
            )

    def vacuum(self) -> None:
        """Give the room of what was deleted back to the disk."""
        with self.use():
            self._connection.execute("VACUUM")
        self.truncate_log()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.DatabaseError as error:
                # The low byte is the primary result code; the rest says which of its kinds.
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if code not in _ERRORS:
                    raise
                kind, message = _ERRORS[code]
                raise kind(message.format(path=self._path)) from error
