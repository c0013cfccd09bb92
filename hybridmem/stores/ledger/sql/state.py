"""Small state in the SQL ledger: one row a record."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, text

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.sql import rows, tables
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.recent_reads import RecentReads
from hybridmem.stores.ledger.state import JsonState, Record, decoded

_CONTENT = text("SELECT content FROM small_state WHERE namespace = :namespace AND name = :name")
"""Built once: every write and every answer reads a policy."""


class StateRows(JsonState):
    """The part of `SqlLedger` that keeps small state."""

    _database: Database
    _recent: RecentReads

    def get_state(self, namespace: Namespace, kind: type[Record]) -> Record | None:
        def read(connection: Connection) -> Record | None:
            content = connection.execute(_CONTENT, {"namespace": rows.key(namespace), "name": kind.KEY}).scalar()
            return None if content is None else decoded(kind, json.loads(content))

        return self._recent.read(self._database, (kind, namespace), read)

    def _write_json(self, namespace: Namespace, key: str, content: dict[str, Any] | None) -> None:
        table = tables.small_state
        same = {"namespace": rows.key(namespace), "name": key}
        with self._database.write() as connection:
            connection.execute(delete(table).where(*(table.c[column] == value for column, value in same.items())))
            if content is not None:
                connection.execute(insert(table), {**same, "content": json.dumps(content)})
