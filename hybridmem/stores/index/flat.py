"""A vector index that compares with every vector, in an SQLite file: exact, and the fastest for a few thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hybridmem.core.errors import EmbeddingMismatch
from hybridmem.core.namespace import Namespace, namespace_digest
from hybridmem.stores.index.base import Vectors, best, require_a_vector_each
from hybridmem.stores.index.sqlite_file import SqliteFile

FORMAT = 1
"""Of the file, as its ``user_version``; 0 for a file that has just been made."""
DIGITS = 40
"""Of a namespace's sha256, by which the file knows it."""
_PAGE_SIZE = 16_384
"""Bytes: a row of 1,000 numbers fits, so that a namespace's vectors lie side by side."""
_ROWS = 1_024
"""Vectors that are compared at a time."""
_VARIABLES = 500


class FlatVectorIndex:
    """A `VectorIndex` in the SQLite file `path`, of ids and vectors; several processes may use it at once.

    It names every memory that it holds, whatever the limit: there is no graph that leaves some out. What is deleted or
    replaced is overwritten in the file (`secure_delete`). A namespace that has become too large for it is handed over
    to another index.

    Raises `StoreBusy`, `StoreFull`, `ReadOnlyMemory`, `CorruptStore` or `EmbeddingMismatch` (vectors of another
    dimension)."""

    def __init__(self, path: Path) -> None:
        self.location = path
        self._file = SqliteFile(path, page_size=_PAGE_SIZE)
        with self._file.use() as connection:
            self.is_new = _is_new(connection)
            """Whether `begin` has still to be called."""

    def begin(self, elsewhere: Iterable[str] = ()) -> None:
        """Make a new file's tables; `elsewhere` are the digests of namespaces that another index holds already."""
        with self._file.transaction() as connection:
            # Another process may have done it meanwhile.
            if _is_new(connection):
                _make_tables(connection, elsewhere)
        self.is_new = False

    def upsert(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> None:
        self.put(namespace, ids, vectors)

    def put(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> bool:
        """`upsert`, unless the namespace was handed over; returns whether they are here."""
        require_a_vector_each(ids, vectors)
        if not ids:
            return True
        digest = _digest(namespace)
        parts: dict[str, int] = {}
        rows = []
        for id, vector in zip(ids, np.asarray(vectors, dtype=np.float32), strict=True):
            parts[id] = parts.get(id, -1) + 1
            rows.append((digest, id, parts[id], vector.tobytes()))
        with self._file.transaction() as connection:
            if _is_elsewhere(connection, digest):
                return False
            first = connection.execute("SELECT vector FROM vectors WHERE namespace = ? LIMIT 1", (digest,)).fetchone()
            if first is not None:
                _require_dimension(len(rows[0][3]), first[0])
            replaced = _delete(connection, digest, list(parts))
            connection.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", rows)
        if replaced:
            self._file.truncate_log()
        return True

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        with self._file.transaction() as connection:
            removed = _delete(connection, _digest(namespace), list(dict.fromkeys(ids)))
        # Also when nothing was there: a process that was killed may have deleted it and not come this far.
        self._file.truncate_log()
        return removed

    def query(self, namespace: Namespace, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        return best(self.scan([namespace], vector).get(namespace, {}), limit)

    def scan(self, namespaces: Sequence[Namespace], vector: Vectors) -> dict[Namespace, dict[str, float]]:
        """The cosine similarity of every memory in each of `namespaces` that was not handed over."""
        wanted = {_digest(namespace): namespace for namespace in namespaces}
        sought = np.asarray(vector, dtype=np.float32).reshape(-1)
        with self._file.snapshot() as connection:
            away = {digest for (digest,) in connection.execute("SELECT namespace FROM elsewhere")} & wanted.keys()
            found: dict[Namespace, dict[str, float]] = {
                namespace: {} for digest, namespace in wanted.items() if digest not in away
            }
            here = [digest for digest in wanted if digest not in away]
            for start in range(0, len(here), _VARIABLES):
                some = here[start : start + _VARIABLES]
                rows = connection.execute(
                    f"SELECT namespace, id, vector FROM vectors WHERE namespace IN ({_marks(some)})",  # noqa: S608
                    some,
                )
                while page := rows.fetchmany(_ROWS):
                    _require_dimension(sought.nbytes, page[0][2])
                    compared = np.frombuffer(b"".join(row[2] for row in page), np.float32).reshape(len(page), -1)
                    for (digest, id, _), score in zip(page, (compared @ sought).tolist(), strict=True):
                        scores = found[wanted[digest]]
                        scores[id] = max(score, scores.get(id, -np.inf))
        return found

    def count(self, namespace: Namespace) -> int:
        with self._file.use() as connection:
            row = connection.execute(
                "SELECT count(*) FROM vectors WHERE namespace = ? AND part = 0", (_digest(namespace),)
            ).fetchone()
        return int(row[0])

    def ids(self, namespace: Namespace) -> Iterator[str]:
        with self._file.use() as connection:
            rows = connection.execute(
                "SELECT id FROM vectors WHERE namespace = ? AND part = 0 ORDER BY id", (_digest(namespace),)
            ).fetchall()
        return (str(id) for (id,) in rows)

    def clear(self) -> None:
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM vectors")
            connection.execute("DELETE FROM elsewhere")
        self._file.vacuum()

    def close(self) -> None:
        self._file.close()

    # ---- large namespaces

    def size(self, namespace: Namespace) -> int:
        """How many vectors there are."""
        with self._file.use() as connection:
            row = connection.execute("SELECT count(*) FROM vectors WHERE namespace = ?", (_digest(namespace),))
            return int(row.fetchone()[0])

    def is_elsewhere(self, namespace: Namespace) -> bool:
        """Whether the namespace was handed over."""
        with self._file.use() as connection:
            return _is_elsewhere(connection, _digest(namespace))

    @contextmanager
    def handing_over(self, namespace: Namespace) -> Iterator[tuple[list[str], Vectors]]:
        """All ids and vectors of the namespace, for another index to take within this block. When it ends well, they
        are elsewhere and no more here; no other process writes meanwhile."""
        digest = _digest(namespace)
        with self._file.transaction() as connection:
            rows = connection.execute(
                "SELECT id, vector FROM vectors WHERE namespace = ? ORDER BY id, part", (digest,)
            ).fetchall()
            stacked = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
            yield [str(row[0]) for row in rows], stacked
            connection.execute("DELETE FROM vectors WHERE namespace = ?", (digest,))
            connection.execute("INSERT OR IGNORE INTO elsewhere VALUES (?)", (digest,))
        self._file.truncate_log()


def _is_new(connection: sqlite3.Connection) -> bool:
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) < FORMAT


def _make_tables(connection: sqlite3.Connection, elsewhere: Iterable[str]) -> None:
    connection.execute(
        "CREATE TABLE vectors (namespace TEXT NOT NULL, id TEXT NOT NULL, part INTEGER NOT NULL, "
        "vector BLOB NOT NULL, PRIMARY KEY (namespace, id, part)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE elsewhere (namespace TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO elsewhere VALUES (?)", [(each,) for each in elsewhere])
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _digest(namespace: Namespace) -> str:
    return namespace_digest(namespace, DIGITS)


def _is_elsewhere(connection: sqlite3.Connection, digest: str) -> bool:
    return connection.execute("SELECT 1 FROM elsewhere WHERE namespace = ?", (digest,)).fetchone() is not None


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _delete(connection: sqlite3.Connection, digest: str, ids: Sequence[str]) -> int:
    """Remove all vectors of `ids`, each of which comes once; returns how many ids were there."""
    removed = 0
    for start in range(0, len(ids), _VARIABLES):
        some = ids[start : start + _VARIABLES]
        rows = f"FROM vectors WHERE namespace = ? AND id IN ({_marks(some)})"
        removed += int(connection.execute(f"SELECT count(*) {rows} AND part = 0", (digest, *some)).fetchone()[0])
        connection.execute(f"DELETE {rows}", (digest, *some))
    return removed


def _require_dimension(bytes_: int, held: bytes) -> None:
    if bytes_ != len(held):
        size = np.dtype(np.float32).itemsize
        raise EmbeddingMismatch(
            f"the index holds vectors of another embedding model ({len(held) // size} dimensions, not "
            f"{bytes_ // size}): run `hybridmem reindex`"
        )
