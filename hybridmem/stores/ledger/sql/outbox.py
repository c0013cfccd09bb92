"""The outbox in SQL. What the indexes have yet to follow is asked before every search: that costs one statement."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, insert, select, text, update

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.outbox import OutboxEntry
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.rows import key, namespace_of

_FOLLOWED = "SELECT CASE WHEN count(*) < :consumers THEN 0 ELSE min(position) END FROM consumers WHERE name IN :names"
_WAITS = f"SELECT coalesce(max(position), 0) FROM outbox WHERE position > ({_FOLLOWED}) {{of}}"  # noqa: S608 - constants
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_OF_ANY = text(_WAITS.format(of="")).bindparams(_NAMES)
_OF_ONE = text(_WAITS.format(of="AND namespace = :namespace")).bindparams(_NAMES)
_ACKNOWLEDGED = text("SELECT name, position FROM consumers WHERE name IN :names").bindparams(_NAMES)
_CHANGES = text(
    "SELECT position, memory, operation FROM outbox WHERE namespace = :namespace AND position > :after "
    "ORDER BY position LIMIT :limit"
)


class OutboxRows:
    """The part of `SqlLedger` that the derived indexes follow."""

    _database: Database

    def identity(self) -> str:
        counters = tables.counters
        asked = select(counters.c.value).where(counters.c.name == "identity")
        with self._database.read() as connection:
            found = connection.execute(asked).scalar()
        if found is None:
            with self._database.write() as connection:
                found = connection.execute(asked).scalar()
                if found is None:
                    found = secrets.randbits(62)
                    connection.execute(insert(counters), {"name": "identity", "value": found})
        return f"{found:016x}"

    def pending(self, consumer: str, *, limit: int = 1000) -> list[OutboxEntry]:
        outbox, consumers = tables.outbox.c, tables.consumers.c
        followed = select(consumers.position).where(consumers.name == consumer).scalar_subquery()
        query = select(outbox.position, outbox.namespace, outbox.memory, outbox.operation)
        query = query.where(outbox.position > func.coalesce(followed, 0)).order_by(outbox.position).limit(limit)
        with self._database.read() as connection:
            return [
                OutboxEntry(position, namespace_of(namespace), memory, operation)
                for position, namespace, memory, operation in connection.execute(query)
            ]

    def changes(self, namespace: Namespace, *, after: int, limit: int = 1000) -> list[OutboxEntry]:
        values = {"namespace": key(namespace), "after": after, "limit": limit}
        with self._database.read() as connection:
            return [
                OutboxEntry(position, namespace, memory, operation)
                for position, memory, operation in connection.execute(_CHANGES, values)
            ]

    def last_pending(self, consumers: Sequence[str], namespace: Namespace | None = None) -> int:
        # A consumer that never acknowledged anything has everything before it.
        values = _values(consumers)
        with self._database.read() as connection:
            if namespace is None:
                return int(connection.execute(_OF_ANY, values).scalar_one())
            return int(connection.execute(_OF_ONE, {**values, "namespace": key(namespace)}).scalar_one())

    def acknowledged(self, consumers: Sequence[str]) -> dict[str, int]:
        with self._database.read() as connection:
            rows = connection.execute(_ACKNOWLEDGED, {"names": list(consumers)})
            return dict.fromkeys(consumers, 0) | {name: int(position) for name, position in rows}

    def acknowledge(self, consumer: str, position: int) -> None:
        consumers = tables.consumers
        # An acknowledgement that a power cut undoes is followed again: that does no harm, and waiting for a disk does.
        with self._database.write(durable=False, revises=False) as connection:
            followed = connection.execute(select(consumers.c.position).where(consumers.c.name == consumer)).scalar()
            if followed is None:
                connection.execute(insert(consumers), {"name": consumer, "position": position})
            elif followed < position:
                connection.execute(update(consumers).where(consumers.c.name == consumer).values(position=position))

    def reset_consumer(self, consumer: str) -> None:
        consumers = tables.consumers
        with self._database.write() as connection:
            connection.execute(update(consumers).where(consumers.c.name == consumer).values(position=0))


def _values(consumers: Sequence[str]) -> dict[str, Any]:
    return {"consumers": len(set(consumers)), "names": list(consumers)}
