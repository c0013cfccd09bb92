"""BM25 over SQLite FTS5, in a file of its own: derived from the ledger, and rebuilt from it when it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hybridmem.core.namespace import Namespace, namespace_digest
from hybridmem.core.text.tokens import alike, index_tokens, query_terms
from hybridmem.stores.index.sqlite_file import SqliteFile

MAX_TERMS = 256
"""Terms of one query; FTS5 takes expressions of limited size, and a question has far fewer."""
FORMAT = 3
"""Of the file, as its ``user_version``. At 0 the tables held texts as they were said, and FTS5 cut other scripts than
the Latin one at the wrong places; since 1 they hold the texts' `index_tokens`, since 2 these fold ß to ss, and since 3
ł to l and Persian letters to Arabic ones."""
_VARIABLES = 500


class FullTextIndex:
    """A `LexicalIndex` in the SQLite file `path`; several processes may use it at once.

    Each namespace has an FTS5 table of its own, so that word statistics do not cross namespaces. It holds what
    `index_tokens` makes of a text (tokenizer: porter over unicode61), so that every script is cut as queries are. A
    file of an earlier version is brought to that form when it is opened. What is deleted or replaced leaves no byte
    behind: freed pages are zeroed (`secure_delete`), the inverted index is merged into one segment (FTS5 keeps deleted
    terms until it merges), and the write-ahead log is truncated.

    Raises `StoreBusy`, `StoreFull`, `ReadOnlyMemory` or `CorruptStore`.
    """

    def __init__(self, path: Path) -> None:
        self.location = path
        self._file = SqliteFile(path)
        with self._file.use() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS memories ("
                "number INTEGER PRIMARY KEY, namespace TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (namespace, id))"
            )
        if self._format() < FORMAT:
            self._migrate()

    def upsert(self, namespace: Namespace, texts: Mapping[str, str]) -> None:
        if not texts:
            return
        table = _table(namespace)
        written = {id: _indexed(text) for id, text in texts.items()}
        with self._file.transaction() as connection:
            connection.execute(_create(table))
            present = self._numbers(connection, table, list(texts))
            known = {
                id: number for id, number in present.items() if self._text(connection, table, number) == written[id]
            }
            replaced = {id: number for id, number in present.items() if id not in known}
            self._remove(connection, table, replaced)
            for id, text in written.items():
                if id not in known:
                    number = connection.execute(
                        "INSERT INTO memories (namespace, id) VALUES (?, ?)", (table, id)
                    ).lastrowid
                    connection.execute(
                        f"INSERT INTO {table} (rowid, text) VALUES (?, ?)",  # noqa: S608 - the name is a hash
                        (number, text),
                    )
        if replaced:
            self._file.truncate_log()

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        table = _table(namespace)
        with self._file.transaction() as connection:
            numbers = self._numbers(connection, table, ids)
            self._remove(connection, table, numbers)
        # Also when nothing was there: a process that was killed may have deleted it and not come this far.
        self._file.truncate_log()
        return len(numbers)

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        terms = query_terms(text.encode("utf-8", "ignore").decode("utf-8"))[:MAX_TERMS]
        table = _table(namespace)
        if not terms or limit <= 0:
            return []
        with self._file.use() as connection:
            if not self._has(connection, table):
                return []
            expression = " OR ".join(f'"{term}"' for term in terms)
            rows = connection.execute(
                f"SELECT memories.id, -bm25({table}) AS score FROM {table} "  # noqa: S608 - the name is a hash
                f"JOIN memories ON memories.number = {table}.rowid "
                f"WHERE {table} MATCH ? ORDER BY score DESC, memories.id LIMIT ?",
                (expression, limit),
            ).fetchall()
        return [(id, float(score)) for id, score in rows]

    def count(self, namespace: Namespace) -> int:
        with self._file.use() as connection:
            row = connection.execute(
                "SELECT count(*) FROM memories WHERE namespace = ?", (_table(namespace),)
            ).fetchone()
        return int(row[0])

    def ids(self, namespace: Namespace) -> Iterator[str]:
        with self._file.use() as connection:
            rows = connection.execute(
                "SELECT id FROM memories WHERE namespace = ? ORDER BY id", (_table(namespace),)
            ).fetchall()
        return (str(id) for (id,) in rows)

    def clear(self) -> None:
        with self._file.transaction() as connection:
            for table in self._tables(connection):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("DELETE FROM memories")
        self._file.vacuum()

    def close(self) -> None:
        self._file.close()

    def _format(self) -> int:
        with self._file.use() as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self) -> None:
        """Bring a file of an earlier version to `FORMAT`, from the texts that it holds itself."""
        with self._file.transaction() as connection:
            # Another process may have done it meanwhile.
            written = self._format()
            if written >= FORMAT:
                return
            for table in self._tables(connection):
                rows = connection.execute(f"SELECT rowid, text FROM {table}").fetchall()  # noqa: S608 - a hash
                connection.execute(f"DROP TABLE {table}")
                connection.execute(_create(table))
                connection.executemany(
                    f"INSERT INTO {table} (rowid, text) VALUES (?, ?)",  # noqa: S608 - the name is a hash
                    ((number, alike(text.casefold()) if written else _indexed(text)) for number, text in rows),
                )
            connection.execute(f"PRAGMA user_version = {FORMAT}")

    @staticmethod
    def _tables(connection: sqlite3.Connection) -> list[str]:
        """The names of the namespaces' tables."""
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'text!_%' ESCAPE '!' AND sql LIKE 'CREATE VIRTUAL%'"
        )
        return [str(name) for (name,) in found.fetchall()]

    @staticmethod
    def _has(connection: sqlite3.Connection, table: str) -> bool:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        return found is not None

    @staticmethod
    def _text(connection: sqlite3.Connection, table: str, number: int) -> str:
        row = connection.execute(f"SELECT text FROM {table} WHERE rowid = ?", (number,))  # noqa: S608
        return str(row.fetchone()[0])

    def _numbers(self, connection: sqlite3.Connection, table: str, ids: Sequence[str]) -> dict[str, int]:
        """The row numbers of those of `ids` that are there."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), _VARIABLES):
            batch = ids[start : start + _VARIABLES]
            marks = ", ".join("?" * len(batch))
            found.update(
                connection.execute(
                    f"SELECT id, number FROM memories WHERE namespace = ? AND id IN ({marks})",  # noqa: S608
                    (table, *batch),
                ).fetchall()
            )
        return found

    def _remove(self, connection: sqlite3.Connection, table: str, numbers: Mapping[str, int]) -> None:
        if not numbers:
            return
        rows = [(number,) for number in numbers.values()]
        connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", rows)  # noqa: S608 - the name is a hash
        connection.executemany("DELETE FROM memories WHERE number = ?", rows)
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608


def _create(table: str) -> str:
    # Marks count as letters: the vowels of Indian scripts are such.
    return (
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {table} USING fts5("
        "text, tokenize = \"porter unicode61 remove_diacritics 2 categories 'L* N* M* Co'\")"
    )


def _indexed(text: str) -> str:
    return " ".join(index_tokens(text))


def _table(namespace: Namespace) -> str:
    return "text_" + namespace_digest(namespace, 32)
