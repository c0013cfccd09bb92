"""Uses of memories that wait to be counted: a search is not to wait for somebody else's write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, text

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.sql.change import chunks
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.rows import key, micros

MANY = 200
"""So many uses are counted whoever writes."""
_COUNT = text(
    """
    INSERT INTO uses (memory, namespace, times, last_at)
    SELECT id, namespace, 1, :at FROM episodes WHERE namespace = :namespace AND id IN :ids
    UNION ALL
    SELECT id, namespace, 1, :at FROM facts WHERE namespace = :namespace AND id IN :ids
    ON CONFLICT (memory) DO UPDATE SET times = uses.times + 1, last_at = excluded.last_at
    """
).bindparams(bindparam("ids", expanding=True))


class UsageBuffer:
    """Uses that `Memories.touch` has yet to write. Threads may use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Namespace, list[str], datetime]] = []

    @property
    def many(self) -> bool:
        return len(self._waiting) >= MANY

    def add(self, namespace: Namespace, ids: Sequence[str], at: datetime) -> None:
        if ids:
            with self._lock:
                self._waiting.append((namespace, list(dict.fromkeys(ids)), at))

    def flush(self, database: Database) -> None:
        """Write what waits, in one transaction. An erased memory is no longer there to be counted."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        with database.write(durable=False, revises=False) as connection:
            for namespace, ids, at in waiting:
                for some in chunks(ids):
                    connection.execute(_COUNT, {"namespace": key(namespace), "ids": list(some), "at": micros(at)})
