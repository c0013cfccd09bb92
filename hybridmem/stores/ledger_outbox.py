"""What the derived indexes have yet to follow: asked before every search, so that it costs one statement."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, bindparam, text

from hybridmem.records import Namespace
from hybridmem.stores.ledger_rows import key

_WAITS = """
    SELECT EXISTS (
        SELECT 1 FROM outbox WHERE position > (
            SELECT CASE WHEN count(*) < :consumers THEN 0 ELSE min(position) END FROM consumers WHERE name IN :names
        ) {of}
    )
"""
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_OF_ANY = text(_WAITS.format(of="")).bindparams(_NAMES)
_OF_ONE = text(_WAITS.format(of="AND namespace = :namespace")).bindparams(_NAMES)


def waits(connection: Connection, consumers: Sequence[str], namespace: Namespace | None) -> bool:
    """See `stores.base.Ledger.waits`. A consumer that never acknowledged anything has everything before it."""
    values = {"consumers": len(set(consumers)), "names": list(consumers)}
    if namespace is None:
        return bool(connection.execute(_OF_ANY, values).scalar_one())
    return bool(connection.execute(_OF_ONE, {**values, "namespace": key(namespace)}).scalar_one())
