"""The truth: one SQL database, SQLite by default and PostgreSQL by URL, with the same code.

What a writing method has returned survives `kill -9` and a power cut (WAL, `synchronous=FULL`), and writers of several
processes follow one another: positions are unique and in the order of the commits, so that an index which follows the
outbox never skips one.

    >>> from pathlib import Path; from tempfile import TemporaryDirectory; from hybridmem.core.records import Episode
    >>> with TemporaryDirectory() as folder:
    ...     ledger = SqlLedger(Path(folder) / "ledger.sqlite3")
    ...     stored = ledger.append([Episode("e1", ("users", "ana"), "Ana moved to Lisbon.")])
    ...     ledger.close()
    >>> stored[0].position
    1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hybridmem.core.clock import parse_time
from hybridmem.core.edit import Edit
from hybridmem.core.errors import LIST_SHOWS_IDS, InvalidInput, UnknownMemory
from hybridmem.core.filters.nodes import Filter
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact, Kind, checked_text, sound_text
from hybridmem.stores.ledger import archive as archives
from hybridmem.stores.ledger.archive import Archive, Restored
from hybridmem.stores.ledger.base import LedgerCounts
from hybridmem.stores.ledger.cardinality import MULTI_VALUED, relation_set
from hybridmem.stores.ledger.fact_timeline import Resolution, resolve_each
from hybridmem.stores.ledger.sql import facts as fact_rows
from hybridmem.stores.ledger.sql import filtering, tables
from hybridmem.stores.ledger.sql.archive import read_archive, write_archive
from hybridmem.stores.ledger.sql.browsing import BrowsingRows
from hybridmem.stores.ledger.sql.change import Change, begins_anew, chunks, find, find_one
from hybridmem.stores.ledger.sql.context import around
from hybridmem.stores.ledger.sql.database import BUSY_SECONDS, Database
from hybridmem.stores.ledger.sql.editing import edit_memory
from hybridmem.stores.ledger.sql.keyed_episodes import KeyedEpisodeRows
from hybridmem.stores.ledger.sql.lineage import LineageRows
from hybridmem.stores.ledger.sql.outbox import OutboxRows
from hybridmem.stores.ledger.sql.recent_reads import RecentReads
from hybridmem.stores.ledger.sql.rows import episode_of, episode_row, event_of, key, micros
from hybridmem.stores.ledger.sql.standing import StandingRows
from hybridmem.stores.ledger.sql.state import StateRows
from hybridmem.stores.ledger.sql.usage_buffer import UsageBuffer
from hybridmem.stores.ledger.validation import checked_edit, checked_episode, checked_fact, unused_ids

_USES = select(tables.uses.c.memory, tables.uses.c.times).where(
    tables.uses.c.namespace == bindparam("namespace"), tables.uses.c.memory.in_(bindparam("ids", expanding=True))
)
"""Built once: a profile asks after every change."""


class SqlLedger(BrowsingRows, KeyedEpisodeRows, StandingRows, LineageRows, OutboxRows, StateRows):
    """A `Ledger` in the SQLite file `location`, or in the database that the URL `location` names.

    Opening creates the file and brings an older schema up to date. `multi_valued`: the relations that hold several
    values at a time; it is not kept in the database, so that every opening names it. Raises `NotAMemory`,
    `CorruptStore`, `NewerFormat`, `ReadOnlyMemory`, `StoreBusy` (after `busy_seconds`) or `StoreFull`.
    """

    def __init__(
        self,
        location: Path | str,
        *,
        busy_seconds: float = BUSY_SECONDS,
        multi_valued: Iterable[str] = MULTI_VALUED,
    ) -> None:
        self.multi_valued = relation_set(multi_valued)
        self._database = Database(location, busy_seconds=busy_seconds)
        self._usage = UsageBuffer()
        self._recent = RecentReads()

    # memories
    def append(self, episodes: Sequence[Episode]) -> list[Episode]:
        checked = [checked_episode(episode) for episode in episodes]
        unused_ids((episode.id for episode in checked), ())
        if not checked:
            return []
        try:
            with self._database.write() as connection:
                positions = Change(connection, ()).positions(len(checked))
                stored = [replace(e, position=position) for e, position in zip(checked, positions, strict=True)]
                connection.execute(insert(tables.episodes), [{**episode_row(e), "extracted": False} for e in stored])
                for namespace in dict.fromkeys(episode.namespace for episode in stored):
                    change = Change(connection, namespace)
                    change.announce_new([episode for episode in stored if episode.namespace == namespace])
        except IntegrityError:
            raise InvalidInput("an id is already in the ledger: leave the id out to get a new one") from None
        return stored

    def put_fact(self, fact: Fact, *, replace: bool | None = True) -> Fact:
        fact = checked_fact(fact)
        several = fact.slot[1] in self.multi_valued if replace is None else not replace
        try:
            with self._database.write() as connection:
                return fact_rows.put(Change(connection, fact.namespace), fact, several=several)
        except IntegrityError:
            raise InvalidInput(f"the id {fact.id!r} is in the ledger already: leave the id out for a new one") from None

    def preview(self, facts: Sequence[Fact]) -> list[Resolution]:
        checked = [checked_fact(fact) for fact in facts]
        peers: list[Fact] = []
        with self._database.read() as connection:
            for namespace in dict.fromkeys(fact.namespace for fact in checked):
                here = [fact for fact in checked if fact.namespace == namespace]
                peers += fact_rows.slot_facts(Change(connection, namespace), here)
        return resolve_each(checked, peers, self.multi_valued)

    def get(self, namespace: Namespace, id: str) -> Episode | Fact:
        with self._database.read() as connection:
            return find_one(connection, namespace, id)

    def get_many(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]:
        with self._database.read() as connection:
            return find(connection, namespace, ids)

    def episodes(
        self, namespace: Namespace, *, after: int = 0, limit: int | None = None, session: str | None = None
    ) -> list[Episode]:
        table = tables.episodes.c
        conditions = [table.position > after]
        if session is not None:
            conditions.append(table.session == sound_text(session))
        return self._episodes(namespace, *conditions, limit=limit)

    def neighbours(self, namespace: Namespace, id: str, *, distance: int = 1) -> list[Episode]:
        table = tables.episodes
        with self._database.read() as connection:
            centre = find_one(connection, namespace, id)
            if isinstance(centre, Fact) or centre.session is None:
                return []
            same = select(table).where(table.c.namespace == key(namespace), table.c.session == centre.session)
            before = same.where(table.c.position < centre.position).order_by(table.c.position.desc()).limit(distance)
            after = same.where(table.c.position > centre.position).order_by(table.c.position).limit(distance)
            rows = [*reversed(connection.execute(before).mappings().all()), *connection.execute(after).mappings()]
        return [episode_of(row) for row in rows]

    def around(self, namespace: Namespace, ids: Sequence[str], *, distance: int = 1) -> dict[str, list[Episode]]:
        with self._database.read() as connection:
            return around(connection, namespace, ids, distance)

    def update_text(
        self, namespace: Namespace, id: str, text: str, at: datetime, *, object: str | None = None
    ) -> Episode | Fact:
        text = checked_text(text)
        with self._database.write() as connection:
            return fact_rows.reword(Change(connection, namespace), id, text, parse_time(at), object)

    def matching(
        self,
        namespace: Namespace,
        filter: Filter,
        *,
        kinds: Sequence[Kind] = ("episode", "fact"),
        after: int = 0,
        limit: int | None = None,
        include_retired: bool = False,
    ) -> list[Episode | Fact]:
        with self._database.read() as connection:
            return filtering.matching(
                connection, namespace, filter, kinds=kinds, after=after, limit=limit, include_retired=include_retired
            )

    def edit(self, namespace: Namespace, id: str, edit: Edit, at: datetime) -> Episode | Fact:
        with self._database.write() as connection:
            return edit_memory(Change(connection, namespace), id, checked_edit(edit), parse_time(at))

    def set_quarantine(self, namespace: Namespace, id: str, quarantined: bool, at: datetime) -> None:
        with self._database.write() as connection:
            fact_rows.quarantine(Change(connection, namespace), id, quarantined, parse_time(at))

    def expire(self, namespace: Namespace, id: str, at: datetime) -> None:
        with self._database.write() as connection:
            fact_rows.expire(Change(connection, namespace), id, parse_time(at))

    def expire_due(self, namespace: Namespace, at: datetime) -> list[str]:
        at = parse_time(at)
        with self._database.read() as connection:
            if not fact_rows.due(connection, namespace, at):
                return []
        with self._database.write() as connection:
            return fact_rows.expire_due(Change(connection, namespace), at)

    def history(self, namespace: Namespace, id: str) -> list[Event]:
        with self._database.read() as connection:
            stored = Change(connection, namespace).events(sound_text(id))
            memory = find(connection, namespace, [id]).get(id)
        if memory is None and not stored:
            raise UnknownMemory(f"no memory {id!r} in {key(namespace)}", LIST_SHOWS_IDS)
        events = [event_of(row) for row in stored]
        if memory is not None and begins_anew(stored):
            events.append(Event(id, "added", memory.recorded_at, memory.text))
        return events

    def counts(self, namespace: Namespace) -> LedgerCounts:
        facts, outbox, consumers = tables.facts, tables.outbox, tables.consumers
        acknowledged = select(func.coalesce(func.min(consumers.c.position), 0)).scalar_subquery()
        with self._database.read() as connection:

            def count(table: Table, *conditions: Any) -> int:
                query = select(func.count()).select_from(table).where(table.c.namespace == key(namespace), *conditions)
                return int(connection.execute(query).scalar_one())

            return LedgerCounts(
                episodes=count(tables.episodes),
                facts=count(facts, facts.c.retired_at.is_(None)),
                retired_facts=count(facts, facts.c.retired_at.is_not(None)),
                training_items=count(tables.training_items),
                adapters=count(tables.adapters),
                dreams=count(tables.dreams),
                outbox=count(outbox, outbox.c.position > acknowledged),
            )

    # uses and extraction
    def touch(self, namespace: Namespace, ids: Sequence[str], at: datetime) -> None:
        self._usage.add(namespace, ids, parse_time(at))
        # A search does not wait for whoever writes now: the next use takes this one along.
        if not self._database.writing or self._usage.many:
            self._usage.flush(self._database)

    def uses(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, int]:
        self._usage.flush(self._database)
        counted = dict.fromkeys(ids, 0)
        with self._database.read() as connection:
            for some in chunks(counted):
                rows = connection.execute(_USES, {"namespace": key(namespace), "ids": some})
                counted.update((memory, times) for memory, times in rows)
        return counted

    def unextracted(
        self, namespace: Namespace, limit: int | None = None, *, at: datetime | None = None
    ) -> list[Episode]:
        table = tables.episodes.c
        conditions = [~table.extracted, ~table.quarantined]
        if at is not None:
            conditions.append(table.expires_at.is_(None) | (table.expires_at > micros(parse_time(at))))
        return self._episodes(namespace, *conditions, limit=limit)

    def mark_extracted(self, namespace: Namespace, ids: Sequence[str]) -> None:
        table = tables.episodes
        with self._database.write() as connection:
            for some in chunks(ids):
                chosen = (tables.beside_ids(table.c.namespace) == key(namespace), table.c.id.in_(some))
                connection.execute(update(table).where(*chosen).values(extracted=True))

    # moving between ledgers
    def archive(self, namespace: Namespace) -> Archive:
        with self._database.read() as connection:
            return read_archive(connection, namespace)

    def restore(self, namespace: Namespace, archive: Archive) -> Restored:
        checked = archives.checked(namespace, archive)
        with self._database.write() as connection:
            return write_archive(Change(connection, namespace), checked)

    # the database itself
    def check(self) -> list[str]:
        problems = self._database.problems()
        if problems:
            return problems
        facts, outbox, counters = tables.facts, tables.outbox, tables.counters
        successor = facts.alias()
        questions = {
            "a fact was superseded and has no end": select(facts.c.id).where(
                facts.c.superseded_by.is_not(None), facts.c.valid_to.is_(None)
            ),
            "a fact was superseded by one that neither is there nor was erased": select(facts.c.id)
            .outerjoin(successor, successor.c.id == facts.c.superseded_by)
            .where(
                facts.c.superseded_by.is_not(None),
                successor.c.id.is_(None),
                facts.c.superseded_by.not_in(select(outbox.c.memory).where(outbox.c.operation == "delete")),
            ),
            "an erased text may still be in the files": select(counters.c.name).where(
                counters.c.name == "scrub", counters.c.value > 0
            ),
        }
        for table in (tables.episodes, facts):
            announced = select(outbox.c.memory).where(outbox.c.operation == "upsert")
            missing = select(table.c.id).where(table.c.id.not_in(announced))
            questions[f"the outbox lacks a row of {table.name}"] = missing
        with self._database.read() as connection:
            for problem, query in questions.items():
                problems += [f"{problem}: {name}" for name in connection.execute(query.limit(10)).scalars()]
        return problems

    def close(self) -> None:
        try:
            self._usage.flush(self._database)
        finally:
            self._database.close()

    def _episodes(self, namespace: Namespace, *conditions: Any, limit: int | None) -> list[Episode]:
        table = tables.episodes
        query = select(table).where(table.c.namespace == key(namespace), *conditions).order_by(table.c.position)
        with self._database.read() as connection:
            return [episode_of(row) for row in connection.execute(query.limit(limit)).mappings()]
