"""The ledger's schema: numbered SQL files that are only ever added to, applied in order and in one transaction.

``0001_ledger.sql`` is what every ledger starts from. A change to the schema is a new file with the next number;
a file that a release has shipped is never edited. Files hold statements that end in ``;`` at the end of a line, in
the SQL that SQLite and PostgreSQL share.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from sqlalchemy import Connection, inspect, text

from hybridmem.core.errors import NewerFormat, NotAMemory
from hybridmem.stores.ledger.sql.tables import metadata

_OURS = {"migrations", "counters"}
"""Tables that the first migration makes: many a program has a table of migrations."""


@cache
def migrations() -> tuple[tuple[int, str, str], ...]:
    """(number, name, SQL) of every migration that ships, in order."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )
    return tuple((int(file.name[:4]), file.name[5:-4], file.read_text(encoding="utf-8")) for file in files)


def version(connection: Connection) -> int:
    """The number of the last migration that was applied; 0 for an empty database.

    Raises `NotAMemory` for a SQLite file with tables of another program, and for a schema of PostgreSQL where such
    tables have the ledger's names.
    """
    found = set(inspect(connection).get_table_names())
    if found >= _OURS:
        return int(connection.execute(text("SELECT COALESCE(MAX(number), 0) FROM migrations")).scalar_one())
    if connection.dialect.name == "sqlite":
        others, advice = found, "choose another folder"
    else:
        others = found & {"migrations", *metadata.tables}
        advice = "choose another database, or a schema with ?options=-csearch_path=SCHEMA"
    if others:
        raise NotAMemory(f"the database holds another program's tables ({min(others)} ...): {advice}")
    return 0


def migrate(connection: Connection) -> int:
    """Apply what is missing, inside the caller's transaction; returns how many migrations that were.

    Raises `NewerFormat` when the database is ahead of this release.
    """
    known = migrations()
    found, newest = version(connection), known[-1][0]
    if found > newest:
        raise NewerFormat(
            f"the ledger has format {found} and this hybridmem reads up to {newest}: pip install --upgrade hybridmem"
        )
    if found == 0:
        connection.execute(text("CREATE TABLE migrations (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)"))
    missing = [migration for migration in known if migration[0] > found]
    # The driver's own cursor, for which a new ledger's seventy statements take a third of the time.
    cursor = connection.connection.cursor()
    for number, name, script in missing:
        for statement in statements(script):
            cursor.execute(statement)
        connection.execute(text("INSERT INTO migrations VALUES (:number, :name)"), {"number": number, "name": name})
    return len(missing)


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL script, without its comment lines."""
    lines: list[str] = []
    for line in script.splitlines():
        if line.startswith("--") or not line.strip():
            continue
        lines.append(line)
        if line.endswith(";"):
            yield "\n".join(lines)
            lines = []
