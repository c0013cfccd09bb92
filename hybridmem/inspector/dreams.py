"""The nights: what each learned, what its gate said, and how much of every night is still there after each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from hybridmem.core.errors import UnknownDream
from hybridmem.core.records import DreamReport
from hybridmem.dreaming.bounds import bound_of, current_name
from hybridmem.inspector.charts import shade
from hybridmem.inspector.site import Visit
from hybridmem.inspector.words import figure_texts, figures

ROWS = 30
"""Nights in the matrix; of more, the last rows and columns that are spread evenly."""
PAGE = 50
FACTS = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """One cell of the matrix R: how much of a night's facts was right after another night."""

    value: float | None
    shade: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The matrix R: a row for the state after each night, a column for the facts of each night."""

    columns: tuple[int, ...]
    rows: tuple[tuple[DreamReport, tuple[Kept, ...]], ...]
    nights: int


def page(visit: Visit) -> Response:
    nights = visit.memory.dreams()
    start = visit.number("after", 0)
    latest = list(reversed(nights))[start : start + PAGE]
    return visit.page(
        "dreams",
        title="Dreams",
        here="dreams",
        nights=latest,
        older=start + PAGE if start + PAGE < len(nights) else None,
        matrix=retention(nights),
    )


def night(visit: Visit) -> Response:
    memory, id = visit.memory, visit.asked("id")
    nights = memory.dreams()
    places = [place for place, report in enumerate(nights) if report.id == id]
    if not places:
        raise UnknownDream(f"no dream {id!r} in {'/'.join(memory.namespace)}: the page Dreams lists them")
    place = places[0]
    report = nights[place]
    left = memory.ledger.get_many(memory.namespace, report.left_to_retrieval[:FACTS])
    return visit.page(
        "dream",
        title=f"Night {report.night}",
        here="dreams",
        report=report,
        earlier=nights[place - 1] if place else None,
        later=nights[place + 1] if place + 1 < len(nights) else None,
        gate=[(replace(check, name=current_name(check.name)), bound_of(check.name)) for check in report.gate],
        test=figures(report.test),
        meanings=figure_texts(),
        left=list(left.values()),
        longest=max((step.seconds for step in report.steps), default=0.0) or 1.0,
        kept=[(number, value, shade(value, 1.0)) for number, value in enumerate(report.retention, start=1)],
    )


def retention(nights: Sequence[DreamReport]) -> Retention:
    """R over the nights that measured it."""
    measured = [report for report in nights if report.retention]
    width = max((len(report.retention) for report in measured), default=0)
    columns = _spread(width, ROWS)
    return Retention(
        columns=tuple(column + 1 for column in columns),
        rows=tuple((report, tuple(_kept(report, column) for column in columns)) for report in measured[-ROWS:]),
        nights=len(measured),
    )


def _kept(report: DreamReport, column: int) -> Kept:
    if column >= len(report.retention):
        return Kept(None, 0)
    value = report.retention[column]
    return Kept(value, shade(value, 1.0))


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
