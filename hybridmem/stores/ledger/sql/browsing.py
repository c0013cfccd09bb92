"""Reads for somebody who looks around: one page at a time, and none that grows with the whole ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, literal, select, text, tuple_

from hybridmem.core.clock import parse_time
from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import texts_in
from hybridmem.core.records import Episode, Fact, stated
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import chunks, read_facts
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.rows import episode_of, key, micros, namespace_of, time_of

_LAST_OF = (
    "SELECT * FROM (SELECT position, recorded_at FROM {} WHERE namespace = :namespace ORDER BY position DESC LIMIT 1) "
    "AS last_of_{}"
)
_LAST = text(" UNION ALL ".join(_LAST_OF.format(name, name) for name in ("episodes", "facts")))
"""Asked before every write, in one statement that is built once."""
_DAY = timedelta(days=1) // timedelta(microseconds=1)


class BrowsingRows:
    """The part of `SqlLedger` that lists, counts and pages."""

    _database: Database

    def latest(
        self, namespace: Namespace, *, before: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[Episode]:
        table = tables.episodes
        query = select(table).where(table.c.namespace == key(namespace))
        if before is not None:
            place = tuple_(literal(micros(parse_time(before[0]))), literal(before[1]))
            query = query.where(tuple_(table.c.at, table.c.position) < place)
        query = query.order_by(table.c.at.desc(), table.c.position.desc()).limit(limit)
        with self._database.read() as connection:
            return [episode_of(row) for row in connection.execute(query).mappings()]

    def days(self, namespace: Namespace, since: date, until: date) -> dict[date, int]:
        table = tables.episodes.c
        first, end = (micros(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in (since, until))
        # Counted from `since`, so that no division meets a negative number, which databases round differently.
        day = (table.at - first) // _DAY
        query = select(day, func.count()).where(table.namespace == key(namespace), table.at >= first, table.at < end)
        with self._database.read() as connection:
            counted = connection.execute(query.group_by(day).order_by(day))
            return {since + timedelta(days=int(number)): count for number, count in counted}

    def texts(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        episodes, facts, events = tables.episodes.c, tables.facts.c, tables.events.c
        columns = ((episodes.id, episodes), (facts.id, facts), (events.memory, events))
        bare = select(facts.id, facts.question, facts.subject, facts.relation, facts.object)
        with self._database.read() as connection:
            for id, table in columns:
                query = select(id, table.text).where(table.namespace == key(namespace), table.text.is_not(None))
                yield from ((memory, words) for memory, words in connection.execute(query))
            for fact, *statement in connection.execute(bare.where(facts.namespace == key(namespace))):
                yield fact, stated(*statement)

    def details(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        episodes, facts, events = tables.episodes.c, tables.facts.c, tables.events.c
        columns = (
            (episodes.id, episodes.metadata, episodes.namespace),
            (facts.id, facts.metadata, facts.namespace),
            (events.memory, events.changes, events.namespace),
        )
        with self._database.read() as connection:
            for id, content, home in columns:
                query = select(id, content).where(home == key(namespace), content.is_not(None), content != "{}")
                for memory, kept in connection.execute(query):
                    yield from ((memory, words) for words in texts_in(json.loads(kept), names=True))
            for name in (episodes.session, episodes.speaker):
                named = select(episodes.id, name).where(episodes.namespace == key(namespace), name.is_not(None))
                yield from ((memory, words) for memory, words in connection.execute(named))

    def said(self, namespace: Namespace, texts: Sequence[str]) -> list[Episode]:
        table = tables.episodes
        found = []
        with self._database.read() as connection:
            for some in chunks(dict.fromkeys(texts)):
                query = select(table).where(table.c.namespace == key(namespace), table.c.text.in_(some))
                found += [episode_of(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda episode: episode.position)

    def last_recorded(self, namespace: Namespace) -> datetime | None:
        with self._database.read() as connection:
            rows = connection.execute(_LAST, {"namespace": key(namespace)}).all()
        return time_of(max(rows)[1]) if rows else None

    def span(self, namespace: Namespace) -> tuple[datetime, datetime] | None:
        table = tables.episodes.c
        ends = [
            select(table.at).where(table.namespace == key(namespace)).order_by(order).limit(1)
            for order in (table.at, table.at.desc())
        ]
        with self._database.read() as connection:
            first, last = (connection.execute(query).scalar() for query in ends)
        return None if first is None or last is None else (time_of(first), time_of(last))

    def speakers(self, namespace: Namespace) -> frozenset[str | None]:
        table = tables.episodes.c
        users = select(table.speaker).where(
            table.namespace == key(namespace), table.role == "user", table.trust == "user"
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(users.distinct()).scalars())

    def facts(
        self,
        namespace: Namespace,
        *,
        as_of: datetime | None = None,
        include_retired: bool = False,
        after: int = 0,
        limit: int | None = None,
        source: str | None = None,
    ) -> list[Fact]:
        table, links = tables.facts, tables.fact_sources.c
        home = table.c.namespace if source is None else tables.beside_ids(table.c.namespace)
        query = select(table).where(home == key(namespace), table.c.position > after)
        if as_of is not None:
            moment = micros(parse_time(as_of))
            still = table.c.valid_to.is_(None) | (table.c.valid_to > moment)
            query = query.where(table.c.valid_from <= moment, still)
        elif not include_retired:
            query = query.where(table.c.retired_at.is_(None))
        if source is not None:
            query = query.where(table.c.id.in_(select(links.fact).where(links.episode == source)))
        with self._database.read() as connection:
            return read_facts(connection, query.order_by(table.c.position).limit(limit))

    def namespaces(self) -> list[Namespace]:
        holders = (
            tables.episodes,
            tables.facts,
            tables.adapters,
            tables.dreams,
            tables.blocks,
            tables.standing_questions,
        )
        with self._database.read() as connection:
            found = {name for table in holders for name in _distinct(connection, table.c.namespace)}
        return sorted(namespace_of(name) for name in found)


def _distinct(connection: Connection, column: Any) -> list[str]:
    """The values of an indexed column, by a jump from each to the next: DISTINCT would read every row of the index."""
    jump = select(func.min(column).label("name")).cte("jump", recursive=True)
    beyond = select(func.min(column)).where(column > jump.c.name).scalar_subquery()
    jump = jump.union_all(select(beyond).where(jump.c.name.is_not(None)))
    found = connection.execute(select(jump.c.name).where(jump.c.name.is_not(None)))
    return [str(name) for name in found.scalars()]
