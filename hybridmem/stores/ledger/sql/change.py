"""One write transaction on one namespace: the rows that follow every change, whatever the change is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, text, update

from hybridmem.core.errors import LIST_SHOWS_IDS, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact, sound_text
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.rows import episode_of, event_row, fact_of, fact_row, key

T = TypeVar("T")
_CHUNK = 500
"""How many values one statement names: every database takes that many."""


# Built once: every write or read needs them, and building a statement costs as much as running it.
_COUNT_ON = text("UPDATE counters SET value = value + :count WHERE name = 'position'")
_COUNTED = text("SELECT value FROM counters WHERE name = 'position'")
_FORGET_TOMBSTONE = text(
    "DELETE FROM outbox WHERE memory = :memory AND namespace = :namespace AND operation = 'delete'"
)
_ANNOUNCE = insert(tables.outbox)
_LINKS = tables.fact_sources.c
_LINKED = (
    select(_LINKS.fact, _LINKS.episode)
    .where(_LINKS.fact.in_(bindparam("ids", expanding=True)))
    .order_by(_LINKS.fact, _LINKS.number)
)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """`values` in lists that one statement can name."""
    every = list(values)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def read_facts(connection: Connection, query: Select[Any]) -> list[Fact]:
    """The facts whose rows `query` selects, with their sources."""
    rows = connection.execute(query).mappings().all()
    sources: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for ids in chunks(sources):
        for fact, episode in connection.execute(_LINKED, {"ids": ids}):
            sources[fact].append(episode)
    return [fact_of(row, sources[row["id"]]) for row in rows]


def find(connection: Connection, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]:
    """Those of `ids` that are there, in the order asked for."""
    found: dict[str, Episode | Fact] = {}
    for some in chunks(ids):
        rows = connection.execute(_named(tables.episodes), _names(namespace, some)).mappings().all()
        found.update((row["id"], episode_of(row)) for row in rows)
        if len(found) < len(set(ids)):
            named = _named(tables.facts).params(_names(namespace, some))
            found.update((fact.id, fact) for fact in read_facts(connection, named))
    return {id: found[id] for id in ids if id in found}


def find_one(connection: Connection, namespace: Namespace, id: str) -> Episode | Fact:
    """The memory `id`. Raises `UnknownMemory`."""
    found = find(connection, namespace, [id])
    if not found:
        raise UnknownMemory(f"no memory {id!r} in {key(namespace)}", LIST_SHOWS_IDS)
    return found[id]


@cache
def _named(table: Any) -> Select[Any]:
    """Built once: a search reads by ids again and again, and building the statement costs as much as running it."""
    return select(table).where(
        tables.beside_ids(table.c.namespace) == bindparam("namespace"),
        table.c.id.in_(bindparam("ids", expanding=True)),
    )


def _names(namespace: Namespace, ids: Sequence[str]) -> dict[str, Any]:
    return {"namespace": key(namespace), "ids": [sound_text(id) for id in ids]}


class Change:
    """What a writing method does to one namespace inside `connection`'s transaction."""

    def __init__(self, connection: Connection, namespace: Namespace) -> None:
        self.connection = connection
        self.namespace = namespace
        self.key = key(namespace)

    def positions(self, count: int) -> range:
        """The next `count` running numbers."""
        self.connection.execute(_COUNT_ON, {"count": count})
        last = self.connection.execute(_COUNTED).scalar_one()
        return range(last - count + 1, last + 1)

    def announce_new(self, memories: Sequence[Episode | Fact]) -> None:
        """Tell the outbox of memories that were not there before (or were erased here, and are back). An id that is
        known, or was in another namespace, breaks the outbox's key: its history is not theirs."""
        rows = [
            {"memory": memory.id, "namespace": self.key, "position": memory.position, "operation": "upsert"}
            for memory in memories
        ]
        self.connection.execute(_FORGET_TOMBSTONE, [{"memory": row["memory"], "namespace": self.key} for row in rows])
        self.connection.execute(_ANNOUNCE, rows)

    def announce(self, ids: Sequence[str], operation: Literal["upsert", "delete"] = "upsert") -> None:
        """Move the outbox's rows of `ids` to its end."""
        if not ids:
            return
        outbox = tables.outbox
        moved = update(outbox).where(outbox.c.memory == bindparam("id"))
        self.connection.execute(
            moved.values(position=bindparam("to"), operation=bindparam("what")),
            [
                {"id": id, "to": position, "what": operation}
                for id, position in zip(ids, self.positions(len(ids)), strict=True)
            ],
        )

    def facts_where(self, *conditions: Any) -> list[Fact]:
        """Facts of this namespace, current and retired, in order of position."""
        table = tables.facts
        query = select(table).where(table.c.namespace == self.key, *conditions).order_by(table.c.position)
        return read_facts(self.connection, query)

    def facts_from(self, episode: str) -> list[Fact]:
        """The facts that have `episode` among their sources."""
        links = tables.fact_sources.c
        return self.facts_where(tables.facts.c.id.in_(select(links.fact).where(links.episode == episode)))

    def write_fact(self, fact: Fact) -> None:
        """Write `fact` over its own row, its sources included."""
        table = tables.facts
        self.connection.execute(update(table).where(table.c.id == fact.id), fact_row(fact))
        self.connection.execute(delete(tables.fact_sources).where(tables.fact_sources.c.fact == fact.id))
        self.link(fact)

    def link(self, fact: Fact) -> None:
        links = [{"fact": fact.id, "episode": episode, "number": number} for number, episode in enumerate(fact.sources)]
        if links:
            self.connection.execute(insert(tables.fact_sources), links)

    def events(self, id: str) -> list[dict[str, Any]]:
        """The stored history of `id`. That it was added is written down only when something else happens to it."""
        table = tables.events
        query = select(table).where(table.c.memory == id, table.c.namespace == self.key).order_by(table.c.number)
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def record(
        self,
        memory: Episode | Fact,
        event: Any,
        at: datetime,
        text: str | None,
        cause: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line to the history of `memory`, given as it was before the event."""
        before = self.events(memory.id)
        lines = [Event(memory.id, "added", memory.recorded_at, memory.text)] if begins_anew(before) else []
        lines.append(Event(memory.id, event, at, text, cause, changes or {}))
        start = before[-1]["number"] + 1 if before else 0
        self.connection.execute(
            insert(tables.events), [event_row(self.namespace, number, line) for number, line in enumerate(lines, start)]
        )

    def taint(self, ids: Sequence[str]) -> list[str]:
        """Taint facts `ids` in every adapter that holds one; returns the adapters' versions, oldest first."""
        versions: set[str] = set()
        links = tables.adapter_facts
        for some in chunks(ids):
            holding = (tables.beside_ids(links.c.namespace) == self.key, links.c.fact.in_(some))
            versions.update(self.connection.execute(select(links.c.version).where(*holding)).scalars())
            self.connection.execute(update(links).where(*holding).values(tainted=True))
        adapters = tables.adapters.c
        ordered = select(adapters.version).where(adapters.namespace == self.key).order_by(adapters.position)
        return [version for version in self.connection.execute(ordered).scalars() if version in versions]

    def refresh_episodes(self, ids: Iterable[str], successor: str) -> None:
        """Episodes are superseded once all that they state is retired, and no longer once something is current."""
        episodes, facts, links = tables.episodes, tables.facts, tables.fact_sources
        for id in dict.fromkeys(ids):
            current = self.connection.execute(
                select(func.count())
                .select_from(facts.join(links, links.c.fact == facts.c.id))
                .where(links.c.episode == id, facts.c.retired_at.is_(None))
            ).scalar_one()
            stale = episodes.c.superseded_by.is_(None) if not current else episodes.c.superseded_by.is_not(None)
            changed = self.connection.execute(
                update(episodes).where(episodes.c.id == id, stale).values(superseded_by=None if current else successor)
            )
            if changed.rowcount:
                self.announce([id])

    def redirect_episodes(self, ids: Iterable[str], before: str, after: str) -> None:
        """Another fact stands in the place of what superseded episodes `ids`."""
        table = tables.episodes
        for id in dict.fromkeys(ids):
            chosen = (table.c.id == id, table.c.superseded_by == before)
            if self.connection.execute(update(table).where(*chosen).values(superseded_by=after)).rowcount:
                self.announce([id])


def begins_anew(events: Sequence[dict[str, Any]]) -> bool:
    """Whether a memory with these stored events has yet to be written down as added."""
    return not events or events[-1]["event"] == "deleted"
