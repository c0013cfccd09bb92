"""The turns around many episodes in two statements: one look at a time would cost a search more than its searching."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, ScalarSelect, select

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import chunks
from hybridmem.stores.ledger.sql.rows import episode_of, key

_TURNS = tables.episodes.alias()


def around(connection: Connection, namespace: Namespace, ids: Sequence[str], distance: int) -> dict[str, list[Episode]]:
    """The turns of the same session up to `distance` before and after each of `ids`, oldest first.

    A fact, and an episode without a session, has none; an id that is not in `namespace` is left out."""
    places = _places(connection, namespace, ids, distance)
    turns: dict[int, Episode] = {}
    for some in chunks({position for positions in places.values() for position in positions}):
        table = tables.episodes
        rows = connection.execute(select(table).where(table.c.position.in_(some))).mappings().all()
        turns.update((row["position"], episode_of(row)) for row in rows)
    return {id: [turns[position] for position in places[id]] for id in ids if id in places}


def _places(connection: Connection, namespace: Namespace, ids: Sequence[str], distance: int) -> dict[str, list[int]]:
    """The positions of the turns around each of `ids`, in order."""
    columns = [_nth(step, before) for before in (True, False) for step in range(distance)]
    centre, facts = tables.episodes.c, tables.facts.c
    found: dict[str, list[int]] = {}
    for some in chunks(ids):
        named = select(centre.id, *columns).where(
            tables.beside_ids(centre.namespace) == key(namespace), centre.id.in_(some)
        )
        for id, *positions in connection.execute(named).all():
            found[id] = sorted(position for position in positions if position is not None)
        if len(found) < len(set(ids)):
            known = select(facts.id).where(tables.beside_ids(facts.namespace) == key(namespace), facts.id.in_(some))
            found.update((id, []) for id in connection.execute(known).scalars())
    return found


@cache
def _nth(step: int, before: bool) -> ScalarSelect[Any]:
    """The position of the turn `step` + 1 before (or after) each row of the query around this; NULL where none is."""
    centre, turn = tables.episodes.c, _TURNS.c
    beyond = turn.position < centre.position if before else turn.position > centre.position
    return (
        select(turn.position)
        .where(turn.namespace == centre.namespace, turn.session == centre.session, beyond)
        .order_by(turn.position.desc() if before else turn.position)
        .limit(1)
        .offset(step)
        .correlate(tables.episodes)
        .scalar_subquery()
    )
