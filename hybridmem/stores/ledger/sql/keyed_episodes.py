"""Episodes that are put under an id of their owner's, and erased together with their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger.composite import belongs, parts_of, related_ids, whole_of
from hybridmem.stores.ledger.erasure import Erasure, merge_erasures
from hybridmem.stores.ledger.keyed_episodes import checked_puts, require_episodes, says_the_same
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, chunks, find, find_one
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.erasure import erase
from hybridmem.stores.ledger.sql.rows import episode_of, episode_row, key, namespace_of


class KeyedEpisodeRows:
    """The part of `SqlLedger` that `KeyedEpisodes` asks for, and `erase`."""

    _database: Database

    def put_episodes(self, episodes: Sequence[Episode], at: datetime) -> list[Episode]:
        checked = checked_puts(episodes)
        if not checked:
            return []
        try:
            with self._database.write() as connection:
                return _put(connection, checked, parse_time(at))
        except IntegrityError:
            raise InvalidInput("an id is in another namespace of the ledger already: choose another") from None

    def erase(self, namespace: Namespace, id: str, at: datetime) -> Erasure:
        with self._database.write() as connection:
            erased = _erase_family(Change(connection, namespace), id, parse_time(at))
            self._database.require_scrub(connection)
        return replace(erased, scrubbed=self._database.scrub())

    def erase_all(self, namespace: Namespace, ids: Sequence[str], at: datetime, *, up_to: int | None = None) -> Erasure:
        with self._database.write() as connection:
            change = Change(connection, namespace)
            found = find(connection, namespace, list(dict.fromkeys(ids)))
            erasures: list[Erasure] = []
            for id, memory in found.items():
                already = {gone for erasure in erasures for gone in (*erasure.parts, *erasure.facts)}
                if id not in already and (up_to is None or memory.position <= up_to):
                    erasures.append(_erase_family(change, id, parse_time(at)))
            if erasures:
                self._database.require_scrub(connection)
        return merge_erasures(erasures, scrubbed=self._database.scrub())

    def erased(self, namespace: Namespace, ids: Sequence[str]) -> set[str]:
        outbox = tables.outbox.c
        found: set[str] = set()
        with self._database.read() as connection:
            for some in chunks(ids):
                gone = select(outbox.memory).where(outbox.memory.in_(some), outbox.operation == "delete")
                found.update(connection.execute(gone.where(outbox.namespace == key(namespace))).scalars())
        return found

    def annotate(self, episodes: Sequence[Episode]) -> None:
        table = tables.episodes
        with self._database.write(durable=False) as connection:
            for episode in episodes:
                same = (
                    table.c.namespace == key(episode.namespace),
                    table.c.id == episode.id,
                    table.c.position == episode.position,
                )
                metadata = episode_row(episode)["metadata"]
                connection.execute(update(table).where(*same).values(metadata=metadata))

    def newest(
        self, namespaces: Sequence[Namespace], *, before: int | None = None, limit: int | None = None
    ) -> list[Episode]:
        table = tables.episodes
        found: list[Episode] = []
        with self._database.read() as connection:
            for some in chunks(key(namespace) for namespace in dict.fromkeys(namespaces)):
                query = select(table).where(table.c.namespace.in_(some))
                if before is not None:
                    query = query.where(table.c.position < before)
                rows = connection.execute(query.order_by(table.c.position.desc()).limit(limit)).mappings()
                found += [episode_of(row) for row in rows]
        return sorted(found, key=lambda episode: -episode.position)[:limit]

    def child_namespaces(self, namespace: Namespace) -> list[Namespace]:
        with self._database.read() as connection:
            return sorted(namespace_of(name) for name in _below(connection, key(namespace)))


def _below(connection: Connection, namespace: str) -> list[str]:
    """By a jump from each name to the next, as DISTINCT would read every row; byte by byte, whatever the database's
    own order of letters is."""
    column: Any = tables.episodes.c.namespace
    if connection.dialect.name != "sqlite":
        column = column.collate("C")
    first, end = f"{namespace}/", f"{namespace}{chr(ord('/') + 1)}"
    jump = select(func.min(column).label("name")).where(column >= first, column < end).cte("jump", recursive=True)
    # With one lower bound alone: of two, SQLite might begin at the one that is further back, in every jump.
    beyond = select(func.min(column)).where(column > jump.c.name, column < end).scalar_subquery()
    jump = jump.union_all(select(beyond).where(jump.c.name.is_not(None)))
    itself = select(column).where(column == namespace).limit(1)
    found = connection.execute(select(jump.c.name).where(jump.c.name.is_not(None))).scalars().all()
    return [*connection.execute(itself).scalars(), *found]


def _put(connection: Connection, episodes: Sequence[Episode], at: datetime) -> list[Episode]:
    positions = Change(connection, ()).positions(len(episodes))
    placed = [replace(episode, position=position) for episode, position in zip(episodes, positions, strict=True)]
    stored: dict[tuple[Namespace, str], Episode] = {}
    for namespace in dict.fromkeys(episode.namespace for episode in placed):
        here = _put_into(Change(connection, namespace), [e for e in placed if e.namespace == namespace], at)
        stored |= {(namespace, episode.id): episode for episode in here}
    return [stored[episode.namespace, episode.id] for episode in placed]


def _put_into(change: Change, episodes: Sequence[Episode], at: datetime) -> list[Episode]:
    """The episodes as they are stored: one that says the same as before stays superseded where it was."""
    ids = [episode.id for episode in episodes]
    before = require_episodes(find(change.connection, change.namespace, ids))
    same = [
        replace(e, superseded_by=before[e.id].superseded_by)
        for e in episodes
        if e.id in before and says_the_same(before[e.id], e)
    ]
    new = [e for e in episodes if e.id not in before or not says_the_same(before[e.id], e)]
    named_now = set(ids)
    named = [part for old in before.values() for part in parts_of(old)]
    parts = find(change.connection, change.namespace, named)
    stale = [
        part
        for old in before.values()
        for part in parts_of(old)
        if part not in named_now and belongs(parts.get(part), old)
    ]
    for id in [*stale, *(episode.id for episode in new if episode.id in before)]:
        erase(change, id, at)
    for some in chunks(episode.id for episode in new if episode.id in before):
        change.connection.execute(delete(tables.events).where(tables.events.c.memory.in_(some)))
    for episode in same:
        change.connection.execute(
            update(tables.episodes).where(tables.episodes.c.id == episode.id), episode_row(episode)
        )
    if new:
        rows = [{**episode_row(episode), "extracted": False} for episode in new]
        change.connection.execute(insert(tables.episodes), rows)
        change.announce_new(new)
    return [*same, *new]


def _erase_family(change: Change, id: str, at: datetime) -> Erasure:
    """Erase memory `id` with the whole that it is a part of, and the parts of that. Raises `UnknownMemory`."""
    memory = find_one(change.connection, change.namespace, id)
    family = _family(change, memory)
    erased = merge_erasures(erase(change, member, at) for member in [id, *family])
    return replace(erased, parts=tuple(family))


def _family(change: Change, memory: Episode | Fact) -> list[str]:
    near = find(change.connection, change.namespace, related_ids(memory))
    whole = near.get(whole_of(memory) or "")
    if whole is None or not belongs(memory, whole):
        whole = memory
    named = find(change.connection, change.namespace, parts_of(whole))
    members = [whole.id, *(part.id for part in named.values() if belongs(part, whole))]
    return [member for member in members if member != memory.id]
