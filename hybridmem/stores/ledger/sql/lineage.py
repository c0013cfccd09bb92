"""What dreams leave in the SQL ledger: training items, adapters and their alias, audits, reports."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, select, text, update

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import ErasedMeanwhile, UnknownAdapter, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Audit, DreamReport, Fact, TrainingItem
from hybridmem.stores.ledger.lineage import ERASED_MEANWHILE, ActiveWeights, AdapterSummary, Holding, pooled
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, chunks, find
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.recent_reads import RecentReads
from hybridmem.stores.ledger.sql.rows import (
    adapter_of,
    adapter_row,
    audit_of,
    audit_row,
    item_of,
    item_row,
    key,
    micros,
    report_of,
    report_text,
    time_of,
)
from hybridmem.stores.ledger.validation import checked_adapter, checked_item, settled_status, trustworthy

_LAST_DREAM = text("SELECT report FROM dreams WHERE namespace = :namespace ORDER BY position DESC LIMIT 1")
_BOUNDED = text(
    "SELECT facts.id, valid_from, recorded_at, valid_to, retired_at "
    "FROM adapter_facts AS held JOIN facts ON facts.id = held.fact AND facts.namespace = held.namespace "
    "WHERE held.namespace = :namespace AND held.version = :version "
    "AND (valid_to IS NOT NULL OR valid_from > recorded_at)"
)
_ITEMS = tables.training_items
_ITEMS_OF = select(_ITEMS).where(
    _ITEMS.c.namespace == bindparam("namespace"), _ITEMS.c.fact.in_(bindparam("facts", expanding=True))
)
"""Built once: every question about a fact in the weights asks for its exercises."""


@dataclass(frozen=True, slots=True)
class _Weights:
    """The active weights, whatever the time."""

    weights: ActiveWeights
    bounds: tuple[tuple[str, float, float], ...]
    """Of the facts that do not hold at all times: the id, and from when to when it does, in microseconds."""


class LineageRows:
    """The part of `SqlLedger` that dreams write."""

    _database: Database
    _recent: RecentReads

    def save_items(self, items: Sequence[TrainingItem]) -> None:
        by_namespace: dict[Namespace, list[TrainingItem]] = {}
        for item in map(checked_item, items):
            by_namespace.setdefault(item.namespace, []).append(item)
        with self._database.write() as connection:
            for namespace, some in by_namespace.items():
                _save_items(Change(connection, namespace), some)

    def items(self, namespace: Namespace, facts: Sequence[str] | None = None) -> list[TrainingItem]:
        if facts is None:
            with self._database.read() as connection:
                own = _ITEMS.c.namespace == key(namespace)
                rows = connection.execute(select(_ITEMS).where(own).order_by(_ITEMS.c.position)).mappings()
                return [item_of(row) for row in rows]

        def read(connection: Connection) -> list[TrainingItem]:
            rows = [
                row
                for some in chunks(dict.fromkeys(facts))
                for row in connection.execute(_ITEMS_OF, {"namespace": key(namespace), "facts": some}).mappings()
            ]
            return [item_of(row) for row in sorted(rows, key=lambda row: row["position"])]

        if len(facts) != 1:
            with self._database.read() as connection:
                return read(connection)
        # What a question about one fact asks for, again and again.
        return list(self._recent.read(self._database, ("items", namespace, facts[0]), read))

    def drop_items(self, namespace: Namespace, facts: Sequence[str]) -> None:
        table = tables.training_items
        with self._database.write() as connection:
            for some in chunks(facts):
                connection.execute(delete(table).where(table.c.namespace == key(namespace), table.c.fact.in_(some)))

    def save_adapter(self, adapter: AdapterRecord) -> None:
        adapter = checked_adapter(adapter)
        with self._database.write() as connection:
            change = Change(connection, adapter.namespace)
            before = _adapter(connection, adapter.namespace, adapter.version)
            status = settled_status(adapter, _alias(connection, adapter.namespace))
            _write_adapter(change, replace(adapter, status=status), new=before is None)
            found = find(connection, adapter.namespace, adapter.facts)
            sound = {fact.id for fact in found.values() if isinstance(fact, Fact) and trustworthy(fact)}
            tainted = {*adapter.tainted, *(before.tainted if before else ())}
            _write_adapter_facts(change, adapter, tainted | (set(adapter.facts) - sound))

    def adapters(self, namespace: Namespace) -> list[AdapterRecord]:
        with self._database.read() as connection:
            return _adapters(connection, namespace)

    def adapter(self, namespace: Namespace, version: str) -> AdapterRecord | None:
        with self._database.read() as connection:
            return _adapter(connection, namespace, version)

    def adapter_summaries(self, namespace: Namespace) -> list[AdapterSummary]:
        table, links = tables.adapters, tables.adapter_facts.c
        tainted = func.sum(case((links.tainted, 1), else_=0))
        count = select(links.version, func.count(), tainted).where(links.namespace == key(namespace))
        query = select(table).where(table.c.namespace == key(namespace)).order_by(table.c.position)
        with self._database.read() as connection:
            counted = {name: (facts, bad) for name, facts, bad in connection.execute(count.group_by(links.version))}
            return [
                AdapterSummary(
                    version=row["version"],
                    base=row["base"],
                    parent=row["parent"],
                    status=row["status"],
                    created_at=time_of(row["created_at"]),
                    dream=row["dream"],
                    scores=json.loads(row["scores"]),
                    facts=counted.get(row["version"], (0, 0))[0],
                    tainted=int(counted.get(row["version"], (0, 0))[1]),
                    on_disk=bool(json.loads(row["files"])),
                )
                for row in connection.execute(query).mappings()
            ]

    def holdings(self, namespace: Namespace, facts: Sequence[str]) -> list[Holding]:
        adapters, links, audits = tables.adapters.c, tables.adapter_facts.c, tables.audits.c
        asked, right = (
            select(func.coalesce(func.sum(column), 0))
            .where(audits.namespace == links.namespace, audits.adapter == links.version, audits.fact == links.fact)
            .correlate(tables.adapter_facts)
            .scalar_subquery()
            for column in (audits.questions, audits.correct)
        )
        query = (
            select(
                adapters.position,
                links.number,
                links.version,
                adapters.status,
                adapters.files,
                links.fact,
                links.tainted,
                asked,
                right,
            )
            .select_from(tables.adapter_facts)
            .join(tables.adapters, and_(adapters.namespace == links.namespace, adapters.version == links.version))
            .where(tables.beside_ids(links.namespace) == key(namespace))
        )
        rows: list[Any] = []
        with self._database.read() as connection:
            for some in chunks(dict.fromkeys(facts)):
                rows += connection.execute(query.where(links.fact.in_(some)))
        return [
            Holding(version, status, bool(json.loads(files)), fact, bool(tainted), int(asked), int(right))
            for _, _, version, status, files, fact, tainted, asked, right in sorted(rows)
        ]

    def activate(self, namespace: Namespace, version: str | None, at: datetime, *, learned: Sequence[str] = ()) -> None:
        table, moves = tables.adapters, tables.activations
        with self._database.write() as connection:
            _require_there(connection, namespace, learned)
            before = _alias(connection, namespace)
            if version is not None and _adapter(connection, namespace, version) is None:
                raise UnknownAdapter(f"no adapter {version!r} in {key(namespace)}: hybridmem adapters list shows them")
            if version == before:
                return
            for name, status in ((before, "retired"), (version, "active")):
                named = (table.c.namespace == key(namespace), table.c.version == name)
                connection.execute(update(table).where(*named).values(status=status))
            last = connection.execute(select(func.max(moves.c.number)).where(moves.c.namespace == key(namespace)))
            connection.execute(
                insert(moves),
                {
                    "namespace": key(namespace),
                    "number": (last.scalar_one() or 0) + 1,
                    "at": micros(parse_time(at)),
                    "version": version,
                },
            )

    def active(self, namespace: Namespace) -> AdapterRecord | None:
        with self._database.read() as connection:
            version = _alias(connection, namespace)
            return None if version is None else _adapter(connection, namespace, version)

    def active_weights(self, namespace: Namespace, moments: Sequence[datetime]) -> ActiveWeights:
        read = self._recent.read(
            self._database, ("weights", namespace), lambda connection: _weights(connection, namespace)
        )
        times = [micros(parse_time(at)) for at in moments]
        return read.weights.without(
            [id for id, begins, ends in read.bounds if not all(begins <= at < ends for at in times)]
        )

    def activations(self, namespace: Namespace) -> list[tuple[datetime, str | None]]:
        moves = tables.activations.c
        query = select(moves.at, moves.version).where(moves.namespace == key(namespace)).order_by(moves.number)
        with self._database.read() as connection:
            return [(time_of(at), version) for at, version in connection.execute(query)]

    def save_audits(self, namespace: Namespace, audits: Sequence[Audit]) -> None:
        table = tables.audits
        with self._database.write() as connection:
            for audit in audits:
                row = audit_row(namespace, audit)
                same = [table.c[name] == row[name] for name in ("namespace", "adapter", "fact", "split")]
                connection.execute(delete(table).where(*same))
                connection.execute(insert(table), row)

    def audits(self, namespace: Namespace, adapter: str) -> list[Audit]:
        with self._database.read() as connection:
            return _audits(connection, namespace, adapter)

    def save_dream(self, report: DreamReport) -> None:
        table = tables.dreams
        same = (table.c.namespace == key(report.namespace), table.c.id == report.id)
        with self._database.write() as connection:
            replaced = connection.execute(update(table).where(*same).values(report=report_text(report)))
            if not replaced.rowcount:
                change = Change(connection, report.namespace)
                row = {"namespace": change.key, "id": report.id, "report": report_text(report)}
                connection.execute(insert(table), {**row, "position": change.positions(1)[0]})

    def dreams(self, namespace: Namespace) -> list[DreamReport]:
        table = tables.dreams.c
        query = select(table.report).where(table.namespace == key(namespace)).order_by(table.position)
        with self._database.read() as connection:
            return [report_of(text) for text in connection.execute(query).scalars()]


def _write_adapter(change: Change, adapter: AdapterRecord, *, new: bool) -> None:
    table = tables.adapters
    if new:
        change.connection.execute(insert(table), adapter_row(adapter, change.positions(1)[0]))
        return
    row = adapter_row(adapter, 0)
    del row["position"]
    same = (table.c.namespace == change.key, table.c.version == adapter.version)
    change.connection.execute(update(table).where(*same), row)


def _write_adapter_facts(change: Change, adapter: AdapterRecord, tainted: set[str]) -> None:
    table = tables.adapter_facts
    same = (table.c.namespace == change.key, table.c.version == adapter.version)
    change.connection.execute(delete(table).where(*same))
    rows = [
        {
            "namespace": change.key,
            "version": adapter.version,
            "fact": fact,
            "number": number,
            "tainted": fact in tainted,
        }
        for number, fact in enumerate(adapter.facts)
    ]
    if rows:
        change.connection.execute(insert(table), rows)


def _save_items(change: Change, items: Sequence[TrainingItem]) -> None:
    table = tables.training_items
    found = find(change.connection, change.namespace, list(dict.fromkeys(item.fact for item in items)))
    for item in items:
        if not isinstance(found.get(item.fact), Fact):
            raise UnknownMemory(f"the training item {item.id} is of fact {item.fact!r}, and {change.key} has none such")
    latest = {item.id: item for item in items}
    for ids in chunks(latest):
        change.connection.execute(delete(table).where(table.c.namespace == change.key, table.c.id.in_(ids)))
    positions = change.positions(len(latest))
    change.connection.execute(
        insert(table), [item_row(item, position) for item, position in zip(latest.values(), positions, strict=True)]
    )


def _require_there(connection: Connection, namespace: Namespace, learned: Sequence[str]) -> None:
    """Raise `ErasedMeanwhile` where one of `learned` is neither a fact nor a training item."""
    left = set(learned)
    for table in (tables.facts.c, tables.training_items.c):
        for some in chunks(sorted(left)):
            own = (tables.beside_ids(table.namespace) == key(namespace), table.id.in_(some))
            left -= set(connection.execute(select(table.id).where(*own)).scalars())
    if left:
        raise ErasedMeanwhile(ERASED_MEANWHILE)


def _weights(connection: Connection, namespace: Namespace) -> _Weights:
    version = _alias(connection, namespace)
    report = connection.execute(_LAST_DREAM, {"namespace": key(namespace)}).scalar()
    last = None if report is None else report_of(report).started_at
    if version is None:
        return _Weights(ActiveWeights(last_dream=last), ())
    weights = ActiveWeights(
        _adapter(connection, namespace, version), pooled(_audits(connection, namespace, version)), last
    )
    rows = connection.execute(_BOUNDED, {"namespace": key(namespace), "version": version})
    return _Weights(weights, tuple(_bounds(*row) for row in rows))


def _bounds(
    fact: str, valid_from: int, recorded_at: int, valid_to: int | None, retired_at: int | None
) -> tuple[str, float, float]:
    """What was recorded has happened, as in `fact_timeline.holds`."""
    begins = valid_from if valid_from > recorded_at else -math.inf
    if valid_to is None:
        return fact, begins, math.inf
    return fact, begins, -math.inf if retired_at is not None and valid_to <= retired_at else valid_to


def _audits(connection: Connection, namespace: Namespace, adapter: str) -> list[Audit]:
    table = tables.audits
    query = select(table).where(table.c.namespace == key(namespace), table.c.adapter == adapter)
    found = [audit_of(row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda audit: (audit.fact, audit.split))


def _alias(connection: Connection, namespace: Namespace) -> str | None:
    moves = tables.activations.c
    query = select(moves.version).where(moves.namespace == key(namespace)).order_by(moves.number.desc()).limit(1)
    version: str | None = connection.execute(query).scalar()
    return version


def _adapter(connection: Connection, namespace: Namespace, version: str) -> AdapterRecord | None:
    found = _adapters(connection, namespace, tables.adapters.c.version == version)
    return found[0] if found else None


def _adapters(connection: Connection, namespace: Namespace, *conditions: Any) -> list[AdapterRecord]:
    table, links = tables.adapters, tables.adapter_facts.c
    query = select(table).where(table.c.namespace == key(namespace), *conditions).order_by(table.c.position)
    found = []
    for row in connection.execute(query).mappings().all():
        facts = select(links.fact, links.tainted).where(links.namespace == row["namespace"])
        facts = facts.where(links.version == row["version"]).order_by(links.number)
        found.append(adapter_of(row, [(fact, tainted) for fact, tainted in connection.execute(facts)]))
    return found
