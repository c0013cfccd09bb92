"""The geometry of the drawings, in the units of their view boxes: the pages may not carry styles of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hybridmem.core.records import Hit

SEARCHERS = {
    "dense": "meaning",
    "lexical": "words",
    "graph": "entities",
    "neighbour": "nearby turns",
    "named": "named",
    "spoken": "who speaks",
    "asks": "asks",
    "period": "its period",
    "tells_when": "tells when",
    "superseded": "superseded",
    "repeated": "said already",
    "behind_its_fact": "behind its fact",
    "decay": "age",
}
"""What each contribution to a score is called on the pages."""
STEPS = 10
"""Shades of a heat map."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One signed value as a bar from a common zero; a whole row is 100 wide."""

    name: str
    value: float
    x: float
    width: float
    zero: float


@dataclass(frozen=True, slots=True)
class Column:
    """One count over time."""

    when: date
    count: int
    x: float
    height: float
    link: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a year."""

    when: date
    count: int
    column: int
    row: int
    shade: int


@dataclass(frozen=True, slots=True)
class Why:
    """A hit with the bars of its score."""

    hit: Hit
    bars: tuple[Bar, ...]


def whys(hits: Sequence[Hit]) -> tuple[Why, ...]:
    """The hits with bars that may be compared among them."""
    values = [share for hit in hits for share in hit.why.values()]
    low, high = min([0.0, *values]), max([0.0, *values])
    reach = (high - low) or 1.0
    zero = -low / reach * 100
    return tuple(Why(hit, tuple(_bar(name, hit.why[name], zero, reach) for name in _order(hit.why))) for hit in hits)


def columns(counts: Sequence[tuple[date, int, str]]) -> tuple[Column, ...]:
    """Columns in a drawing 100 high, one unit of width each."""
    most = max((count for _, count, _ in counts), default=0) or 1
    return tuple(
        Column(when, count, float(place), max(2.0, count / most * 100) if count else 0.0, link)
        for place, (when, count, link) in enumerate(counts)
    )


def calendar(year: int, counts: Mapping[date, int]) -> tuple[Cell, ...]:
    """Every day of `year` in columns of weeks that begin on Monday, shaded by its count among the others'."""
    first = date(year, 1, 1)
    most = max(counts.values(), default=0)
    cells = []
    for number in range((date(year + 1, 1, 1) - first).days if year < date.max.year else 365):
        when = first + timedelta(days=number)
        count = counts.get(when, 0)
        cells.append(Cell(when, count, (number + first.weekday()) // 7, when.weekday(), shade(count, most)))
    return tuple(cells)


def shade(value: float, most: float) -> int:
    """The step of a heat map: 0 for nothing, `STEPS` for the most.

    >>> shade(0, 5), shade(0.1, 5), shade(5, 5)
    (0, 1, 10)
    """
    return 0 if value <= 0 or most <= 0 else min(STEPS, max(1, round(value / most * STEPS)))


def polyline(points: Sequence[tuple[float, float]]) -> str:
    """Points of the unit square in a drawing of 100 by 100, whose zero is at the lower left.

    >>> polyline([(0, 0), (0.5, 1)])
    '0.0,100.0 50.0,0.0'
    """
    return " ".join(f"{100 * x:.1f},{100 * (1 - y):.1f}" for x, y in points)


def _order(why: Mapping[str, float]) -> list[str]:
    return [name for name in SEARCHERS if name in why] + [name for name in why if name not in SEARCHERS]


def _bar(name: str, value: float, zero: float, reach: float) -> Bar:
    width = abs(value) / reach * 100
    return Bar(SEARCHERS.get(name, name), value, zero if value >= 0 else zero - width, width, zero)
