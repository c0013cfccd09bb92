"""A namespace out of the SQL ledger, and into it, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact
from hybridmem.stores.ledger import archive as archives
from hybridmem.stores.ledger.archive import Archive, Known, Restored
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, begins_anew, chunks, read_facts
from hybridmem.stores.ledger.sql.facts import settle
from hybridmem.stores.ledger.sql.rows import (
    episode_of,
    episode_row,
    event_of,
    event_row,
    fact_row,
    key,
)
from hybridmem.stores.ledger.sql.standing import read_standing, write_standing


def read_archive(connection: Connection, namespace: Namespace) -> Archive:
    """As `Archives.archive` promises."""
    table = tables.episodes
    rows = connection.execute(select(table).where(table.c.namespace == key(namespace))).mappings().all()
    facts = read_facts(connection, select(tables.facts).where(tables.facts.c.namespace == key(namespace)))
    memories: list[Episode | Fact] = [*map(episode_of, rows), *facts]
    return replace(
        read_standing(connection, namespace),
        memories=tuple(sorted(memories, key=lambda memory: memory.position)),
        extracted=frozenset(row["id"] for row in rows if row["extracted"]),
        events=archives.recorded_events(memories, _histories(connection, namespace, memories)),
    )


def write_archive(change: Change, archive: Archive) -> Restored:
    """Take in `archive`, which is checked, as `Archives.restore` promises."""
    standing = write_standing(change.connection, change.namespace, archive)
    archive, restored = archives.fitted(archive, _known(change, archives.ids(archive)))
    gone = archives.erased(archive)
    positions = change.positions(len(archive.memories) + len(gone))
    memories = [replace(memory, position=at) for memory, at in zip(archive.memories, positions, strict=False)]
    _insert(
        change,
        tables.episodes,
        [{**episode_row(m), "extracted": m.id in archive.extracted} for m in memories if isinstance(m, Episode)],
    )
    facts = [memory for memory in memories if isinstance(memory, Fact)]
    _insert(change, tables.facts, [fact_row(fact) for fact in facts])
    for fact in facts:
        change.link(fact)
    for some in chunks(memories):
        change.announce_new(some)
    tombstones = zip(gone, positions[len(memories) :], strict=True)
    _insert(
        change,
        tables.outbox,
        [{"memory": id, "namespace": change.key, "position": at, "operation": "delete"} for id, at in tombstones],
    )
    _insert(
        change,
        tables.events,
        [
            event_row(change.namespace, number, event)
            for events in archives.histories(archive).values()
            for number, event in enumerate(events)
        ],
    )
    if facts and (restored.there or restored.erased):
        # What it meets here, or lacks, decides anew who holds when.
        settle(change, facts, max(fact.recorded_at for fact in facts), facts[-1].id)
    return archives.together(restored, standing)


def _known(change: Change, ids: Sequence[str]) -> Known:
    """The outbox has a row for every memory that is or was in the ledger, whatever its namespace."""
    outbox = tables.outbox.c
    found: dict[str, set[str]] = {"there": set(), "erased": set(), "elsewhere": set()}
    for some in chunks(ids):
        query = select(outbox.memory, outbox.namespace, outbox.operation).where(outbox.memory.in_(some))
        for memory, namespace, operation in change.connection.execute(query):
            here = "erased" if operation == "delete" else "there"
            found[here if namespace == change.key else "elsewhere"].add(memory)
    return Known(*(frozenset(found[name]) for name in ("there", "erased", "elsewhere")))


def _insert(change: Change, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for some in chunks(rows):
        change.connection.execute(insert(table), some)


def _histories(connection: Connection, namespace: Namespace, memories: list[Episode | Fact]) -> dict[str, list[Event]]:
    """The stored histories, with the line for "added" that is written down only when another follows."""
    table = tables.events
    query = select(table).where(table.c.namespace == key(namespace)).order_by(table.c.memory, table.c.number)
    stored: dict[str, list[Event]] = {}
    for row in connection.execute(query).mappings():
        stored.setdefault(row["memory"], []).append(event_of(row))
    for memory in memories:
        if memory.id in stored and begins_anew([{"event": stored[memory.id][-1].event}]):
            stored[memory.id].append(Event(memory.id, "added", memory.recorded_at, memory.text))
    return stored
