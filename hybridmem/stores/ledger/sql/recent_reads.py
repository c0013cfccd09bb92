"""What was read at a revision of the ledger, kept until the next one: an answer asks for the same again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from hybridmem.stores.ledger.sql.database import Database

T = TypeVar("T")
MOST = 200
"""Values that are kept, the last used."""
_REVISION = text("SELECT value FROM counters WHERE name = 'revision'")


class RecentReads:
    """Values of one revision, which nobody changes: what was erased since is not even in memory any more. Threads may
    use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def read(self, database: Database, key: Hashable, work: Callable[[Connection], T]) -> T:
        """What `work` read for this `key`, unless something was written since, by whatever process."""
        with database.read() as connection:
            revision = int(connection.execute(_REVISION).scalar_one())
            with self._lock:
                if revision != self._revision:
                    self._kept.clear()
                    self._revision = revision
                if key in self._kept:
                    self._kept.move_to_end(key)
                    kept: T = self._kept[key]
                    return kept
            value = work(connection)
        with self._lock:
            if revision == self._revision:
                self._kept[key] = value
                while len(self._kept) > MOST:
                    self._kept.popitem(last=False)
        return value
