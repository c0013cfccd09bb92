"""What the derived indexes have yet to follow: asked before every search, so that it costs one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.sql.rows import key

_FOLLOWED = "SELECT CASE WHEN count(*) < :consumers THEN 0 ELSE min(position) END FROM consumers WHERE name IN :names"
_WAITS = f"SELECT coalesce(max(position), 0) FROM outbox WHERE position > ({_FOLLOWED}) {{of}}"  # noqa: S608 - constants
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_OF_ANY = text(_WAITS.format(of="")).bindparams(_NAMES)
_OF_ONE = text(_WAITS.format(of="AND namespace = :namespace")).bindparams(_NAMES)


_ALL_FOLLOWED = text(_FOLLOWED).bindparams(_NAMES)


def last_pending(connection: Connection, consumers: Sequence[str], namespace: Namespace | None) -> int:
    """See `stores.base.Ledger.last_pending`. A consumer that never acknowledged anything has everything before it."""
    values = _values(consumers)
    if namespace is None:
        return int(connection.execute(_OF_ANY, values).scalar_one())
    return int(connection.execute(_OF_ONE, {**values, "namespace": key(namespace)}).scalar_one())


def acknowledged_up_to(connection: Connection, consumers: Sequence[str]) -> int:
    """See `stores.base.Ledger.acknowledged_up_to`."""
    return int(connection.execute(_ALL_FOLLOWED, _values(consumers)).scalar_one())


def _values(consumers: Sequence[str]) -> dict[str, Any]:
    return {"consumers": len(set(consumers)), "names": list(consumers)}
