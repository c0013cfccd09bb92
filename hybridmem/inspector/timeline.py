"""The timeline: a year of days with their counts, and the episodes from a day backwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from starlette.responses import Response

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate, InvalidInput
from hybridmem.inspector.charts import calendar
from hybridmem.inspector.site import Visit

PAGE = 50


def page(visit: Visit) -> Response:
    memory = visit.memory
    span = memory.ledger.span(memory.namespace)
    before, day = _place(visit)
    episodes = memory.ledger.latest(memory.namespace, before=before, limit=PAGE + 1)
    more, episodes = len(episodes) > PAGE, episodes[:PAGE]
    newest_day = episodes[0].at.date() if episodes else day or (span[1].date() if span else datetime.now(UTC).date())
    year = visit.number("year", (day or newest_day).year, least=1, most=9998)
    counts = memory.ledger.days(memory.namespace, date(year, 1, 1), date(year + 1, 1, 1))
    listed = {each.at.date() for each in episodes}
    return visit.page(
        "timeline",
        title="Timeline",
        here="timeline",
        span=span,
        day=day,
        year=year,
        cells=calendar(year, counts),
        total=sum(counts.values()),
        months=[date(year, month, 1) for month in range(1, 13)],
        days=[
            (when, _count(visit, when, counts), list(group)) for when, group in groupby(episodes, lambda e: e.at.date())
        ],
        listed=listed,
        older=f"{episodes[-1].at.isoformat()}~{episodes[-1].position}" if more else None,
        newest=before is None,
    )


def _place(visit: Visit) -> tuple[tuple[datetime, int] | None, date | None]:
    """Where the list begins, from the previous page's link or from a date. Raises `InvalidInput`."""
    if place := visit.asked("before"):
        at, _, position = place.rpartition("~")
        if not position.isdecimal():
            raise InvalidInput(f"there is no place {place!r} in the timeline: follow the link `older` of a page")
        return (parse_time(at), int(position)), None
    if not (asked := visit.asked("day")):
        return None, None
    day = parse_time(asked).date()
    if not 1 < day.year < date.max.year:
        raise InvalidDate(f"the timeline has no year {day.year}: jump to a day between the years 2 and 9998")
    # From the end of that day backwards.
    return (datetime.combine(day + timedelta(days=1), time(), UTC), 0), day


def _count(visit: Visit, when: date, counts: dict[date, int]) -> int:
    if when in counts:
        return counts[when]
    return visit.memory.ledger.days(visit.memory.namespace, when, when + timedelta(days=1)).get(when, 0)
