"""The digests of slots, by which facts are about the same: made anew where a release compares names otherwise."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from hybridmem.stores.ledger.sql.rows import fact_of, slot_digest
from hybridmem.stores.ledger.sql.tables import counters, facts

FORMAT = 2
"""Of `normalised`, by which slots are compared; 1 folds the forms of Unicode in which one name can be written, and 2
leaves out characters that are not seen."""
_COUNTER = "slots"


def renew(connection: Connection) -> int:
    """Bring the digests to `FORMAT`, inside the caller's transaction; returns how many changed.

    Facts that come into one slot by it stay as they are, until the next statement there decides between them."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == _COUNTER)).scalar()
    if (found or 0) >= FORMAT:
        return 0
    changed = [
        {"of": row["id"], "digest": digest}
        for row in connection.execute(select(facts)).mappings()
        if (digest := slot_digest(fact_of(row, ()))) != row["slot"]
    ]
    if changed:
        connection.execute(update(facts).where(facts.c.id == bindparam("of")).values(slot=bindparam("digest")), changed)
    if found is None:
        connection.execute(insert(counters), {"name": _COUNTER, "value": FORMAT})
    else:
        connection.execute(update(counters).where(counters.c.name == _COUNTER).values(value=FORMAT))
    return len(changed)
