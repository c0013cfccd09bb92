"""Filters in SQL: what the columns can decide is a condition of the query, and the evaluator decides the rest.

A condition that was pushed down lets through every row that the filter admits, and perhaps more; it means what
`core.filters.evaluate` means, nulls included, so that its negation does too. Metadata, tags and what a fact has from
its sources are not in its row, and texts are ordered by databases in many ways: those are left to the evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, false, not_, or_, select, true

from hybridmem.core.filters.evaluate import admits, holds
from hybridmem.core.filters.fields import OF_SOURCES
from hybridmem.core.filters.moments import Moment
from hybridmem.core.filters.nodes import AllOf, AnyOf, Condition, Filter, Not
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Kind
from hybridmem.core.text.tokens import has_other_forms
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import find, read_facts
from hybridmem.stores.ledger.sql.rows import episode_of, key, micros

_PAGE = 500
_MOST = 500
"""The most values that a statement names."""
_COLUMNS: Mapping[Kind, Mapping[str, str]] = {
    "episode": {name: name for name in ("id", "trust", "recorded_at", "expires_at", "quarantined", "at", *OF_SOURCES)},
    "fact": {
        "at": "valid_from",
        **{name: name for name in ("id", "trust", "recorded_at", "expires_at", "quarantined", "evidence")},
        **{name: name for name in ("valid_from", "valid_to", "retired_at", "subject", "relation", "object")},
    },
}
"""The column of each field."""
_UNDECIDED: Mapping[Kind, frozenset[str]] = {
    "episode": frozenset({"text", "tags"}),
    "fact": frozenset({"text", "tags", "question", *OF_SOURCES}),
}
"""Fields that no column decides, beside the metadata; a field in neither table is one that such memories lack."""


def matching(
    connection: Connection,
    namespace: Namespace,
    filter: Filter,
    *,
    kinds: Sequence[Kind],
    after: int,
    limit: int | None,
    include_retired: bool,
) -> list[Episode | Fact]:
    """As `Memories.matching` promises."""
    found: list[Episode | Fact] = []
    if "episode" in kinds:
        found += _first(_episodes(connection, namespace, filter, after), limit)
    if "fact" in kinds:
        found += _first(_facts(connection, namespace, filter, after, include_retired=include_retired), limit)
    return sorted(found, key=lambda memory: memory.position)[:limit]


def pushed(filter: Filter, kind: Kind) -> ColumnElement[bool]:
    """What every row has to satisfy whose memory `filter` admits."""
    clause, _ = _clause(filter, kind)
    return clause


def _first(memories: Iterator[Any], limit: int | None) -> list[Any]:
    return [memory for _, memory in zip(range(limit), memories, strict=False)] if limit is not None else list(memories)


def _episodes(connection: Connection, namespace: Namespace, filter: Filter, after: int) -> Iterator[Episode]:
    for page in _pages(connection, tables.episodes, namespace, pushed(filter, "episode"), after):
        yield from (episode for row in page if admits(filter, episode := episode_of(row)))


def _facts(
    connection: Connection, namespace: Namespace, filter: Filter, after: int, *, include_retired: bool
) -> Iterator[Fact]:
    table = tables.facts
    wanted = pushed(filter, "fact")
    if not include_retired:
        wanted = and_(wanted, table.c.retired_at.is_(None))
    for page in _pages(connection, table, namespace, wanted, after):
        positions = [row["position"] for row in page]
        facts = read_facts(connection, select(table).where(table.c.position.in_(positions)).order_by(table.c.position))
        named = list(dict.fromkeys(source for fact in facts for source in fact.sources))
        sources = find(connection, namespace, named)
        for fact in facts:
            behind = [episode for id in fact.sources if isinstance(episode := sources.get(id), Episode)]
            if admits(filter, fact, behind):
                yield fact


def _pages(
    connection: Connection, table: Table, namespace: Namespace, wanted: ColumnElement[bool], after: int
) -> Iterator[list[Any]]:
    """The rows that `wanted` lets through, in order of position."""
    query = select(table).where(table.c.namespace == key(namespace), wanted).order_by(table.c.position).limit(_PAGE)
    while page := connection.execute(query.where(table.c.position > after)).mappings().all():
        yield list(page)
        if len(page) < _PAGE:
            return
        after = page[-1]["position"]


def _clause(filter: Filter, kind: Kind) -> tuple[ColumnElement[bool], bool]:
    """(a condition on the row, whether it decides all of `filter`)."""
    if isinstance(filter, AllOf | AnyOf):
        parts = [_clause(part, kind) for part in filter.parts]
        join, empty = (and_, true()) if isinstance(filter, AllOf) else (or_, false())
        return join(empty, *(clause for clause, _ in parts)), all(exact for _, exact in parts)
    if isinstance(filter, Not):
        clause, exact = _clause(filter.part, kind)
        return (not_(clause), True) if exact else (true(), False)
    decided = _condition(filter, kind)
    return (true(), False) if decided is None else (decided, True)


def _condition(condition: Condition, kind: Kind) -> ColumnElement[bool] | None:
    """The condition on its column; None where there is none, or the database might read it otherwise."""
    name = condition.field.name
    if name == "kind":
        return true() if holds(condition, {"kind": kind}) else false()
    if condition.field.type == "json" or name in _UNDECIDED[kind]:
        return None
    if name not in _COLUMNS[kind]:
        return true() if holds(condition, {}) else false()
    column = (tables.episodes if kind == "episode" else tables.facts).c[_COLUMNS[kind][name]]
    return _on(column, condition.operator, condition.operand)


def _on(column: Any, operator: str, operand: Any) -> ColumnElement[bool] | None:
    if operator == "exists":
        there: ColumnElement[bool] = column.is_not(None) if operand else column.is_(None)
        return there
    if operator in ("eq", "ne", "in", "nin"):
        among = operand if operator in ("in", "nin") else (operand,)
        if len(among) > _MOST:
            return None
        parts = [_equal(column, value) for value in among]
        if any(part is None for part in parts):
            return None
        one = or_(false(), *(part for part in parts if part is not None))
        return one if operator in ("eq", "in") else not_(one)
    if isinstance(operand, Moment):
        return and_(column.is_not(None), _compared(column, operator, operand))
    if _is_whole(operand):
        ordered: Mapping[str, Any] = {
            "gt": column > operand,
            "gte": column >= operand,
            "lt": column < operand,
            "lte": column <= operand,
        }
        return and_(column.is_not(None), ordered[operator])
    return None


def _equal(column: Any, value: Any) -> ColumnElement[bool] | None:
    """Never null: its negation has to hold for a row without a value."""
    if value is None:
        missing: ColumnElement[bool] = column.is_(None)
        return missing
    if isinstance(value, Moment):
        start, end = micros(value.start), micros(value.end)
        within = and_(column >= start, column < end) if value.is_day else column == start
        return and_(column.is_not(None), within)
    if isinstance(value, str) and not _is_storable(value):
        return false()
    if isinstance(value, str) and has_other_forms(value):
        return None
    if isinstance(value, str | bool) or _is_whole(value):
        return and_(column.is_not(None), column == value)
    return None


def _compared(column: Any, operator: str, moment: Moment) -> Any:
    """As `Moment.compare` has it."""
    start, end = micros(moment.start), micros(moment.end)
    if operator == "gt":
        return column >= end if moment.is_day else column > start
    if operator == "gte":
        return column >= start
    if operator == "lt":
        return column < start
    return column < end if moment.is_day else column <= start


def _is_storable(text: str) -> bool:
    """Whether a column can hold `text`: no column holds what a database cannot even be asked for."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
