"""Times in filters: a moment, or a whole day or month where only that is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hybridmem.core.clock import end_of_time, parse_time
from hybridmem.core.errors import InvalidDate

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+")
_LAST = datetime.max.date()


@dataclass(frozen=True, slots=True)
class Moment:
    """From `start` until just before `end`; a single moment has the two equal. UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, written: str | date) -> Moment:
        """A date stands for its day in UTC and a month for its days, anything else for one moment. Raises
        `InvalidDate`."""
        start, last = parse_time(written), end_of_time(written)
        if last == start:
            return cls(start, start)
        return cls(start, last + timedelta(microseconds=1) if last.date() < _LAST else last)

    @property
    def is_day(self) -> bool:
        return self.end > self.start

    def holds(self, time: datetime) -> bool:
        return time == self.start or self.start <= time < self.end

    def compare(self, operator: str, time: datetime) -> bool:
        """Whether `time` is ``gt``, ``gte``, ``lt`` or ``lte`` this: above a day is after it, up to a day is to its
        end."""
        if operator == "gt":
            return time >= self.end if self.is_day else time > self.start
        if operator == "gte":
            return time >= self.start
        if operator == "lt":
            return time < self.start
        return time < self.end if self.is_day else time <= self.start


def moment_in(value: object) -> Moment | None:
    """`value` as a time where it is a text that says one, as 2026-03-01 or 2026-03-01T09:00:00+02:00; else None."""
    if not isinstance(value, str) or not (_DATE.fullmatch(value) or _TIME.fullmatch(value)):
        return None
    try:
        return Moment.of(value)
    except InvalidDate:
        return None
