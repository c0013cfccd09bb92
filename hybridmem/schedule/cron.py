"""A cron expression: when a night is due, in one time zone.

It follows Unix cron: Sunday is 0 or 7, and where both the day of the month and the weekday are restricted, either is
enough. APScheduler's own triggers count from Monday, want both, and (in 3.11) skip the midnight after the clocks went
forward. They only keep time for the scheduler; this module says which nights are due.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hybridmem.core.errors import InvalidInput, MissingExtra

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXAMPLE = 'write five fields, as in "0 3 * * *" for every night at 03:00'
_YEARS = 41
"""Years searched for the next moment: the 29th of February meets a given weekday every 28 years, or every 40 around a
century without a leap year."""
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five places of an expression."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def values(self, text: str, whole: str) -> tuple[int, ...]:
        found = {value for part in text.split(",") for value in self._part(part, whole)}
        return tuple(sorted(found))

    def _part(self, part: str, whole: str) -> range:
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.least, self.most
        else:
            low = self._number(first, whole)
            high = self._number(last, whole) if dash else self.most if slash else low
        if slash and (not step.isascii() or not step.isdigit() or int(step) == 0):
            raise InvalidInput(f"the cron expression {whole!r} has the step {step!r} in its {self.name}: {_EXAMPLE}")
        if low > high:
            raise InvalidInput(f"the cron expression {whole!r} has the empty range {span!r} in its {self.name}")
        return range(low, high + 1, int(step) if slash else 1)

    def _number(self, text: str, whole: str) -> int:
        lowered = text.lower()
        if lowered in self.names:
            return self.names.index(lowered) + self.least
        if text.isascii() and text.isdigit() and self.least <= int(text) <= self.most:
            return int(text)
        raise InvalidInput(
            f"the cron expression {whole!r} has {text!r} for its {self.name}, which goes from {self.least} to "
            f"{self.most}: {_EXAMPLE}"
        )


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("weekday", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression with its fields as sorted numbers; Sunday is 0."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    zone: str

    @classmethod
    def parse(cls, text: str, zone: str) -> Cron:
        """Reads an expression. Raises `InvalidInput` if cron would refuse it, if it is never due, or for an unknown
        `zone`.

        >>> Cron.parse("30 3 * * 1-5", "Europe/Lisbon").weekdays
        (1, 2, 3, 4, 5)
        """
        texts = text.split()
        if len(texts) != len(_FIELDS):
            raise InvalidInput(f"the cron expression {text!r} has {len(texts)} fields and not 5: {_EXAMPLE}")
        minutes, hours, days, months, weekdays = (
            field.values(one, text) for field, one in zip(_FIELDS, texts, strict=True)
        )
        weekdays = tuple(sorted({day % 7 for day in weekdays}))
        cron = cls(" ".join(texts), minutes, hours, days, months, weekdays, checked_zone(zone))
        if cron.next(datetime(2000, 1, 1, tzinfo=UTC)) is None:
            raise InvalidInput(f"the cron expression {text!r} is never due: no month of its has such a day")
        return cron

    @classmethod
    def nightly(cls, text: str, zone: str) -> Cron:
        """Every night at ``HH:MM``. Raises `InvalidInput`."""
        found = _TIME.fullmatch(text.strip())
        if found is None:
            raise InvalidInput(f"{text!r} is not a time of day: write it as 03:00")
        return cls.parse(f"{int(found[2])} {int(found[1])} * * *", zone)

    @property
    def either_day(self) -> bool:
        """Whether both the day of the month and the weekday are restricted, so that either is enough."""
        _, _, day, _, weekday = self.text.split()
        return not day.startswith("*") and not weekday.startswith("*")

    @property
    def portable(self) -> str:
        """The expression for other schedulers, with weekdays as numbers from 0 to 6."""
        *rest, weekday = self.text.split()
        return " ".join([*rest, weekday if weekday.startswith("*") else ",".join(map(str, self.weekdays))])

    def next(self, after: datetime) -> datetime | None:
        """The first moment after `after` at which it is due, in UTC.

        An hour that the clocks repeat counts once. A moment in an hour that they skip comes right after it."""
        first = after.astimezone(ZoneInfo(self.zone)).date()
        # From the day before: a moment that the clocks skip on that day may be due on this one.
        for number in range(-1, _YEARS * 366):
            day = first + timedelta(days=number)
            if self.has(day):
                moments = _moments(self, day)
                if (at := bisect_right(moments, after)) < len(moments):
                    return moments[at]
        return None

    def has(self, day: date) -> bool:
        """Whether it is due on this day."""
        on_day, on_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (on_day or on_weekday if self.either_day else on_day and on_weekday)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every moment after `after` and up to `until` at which it is due, in UTC."""
        moment = self.next(after)
        while moment is not None and moment <= until:
            yield moment
            moment = self.next(moment)


@lru_cache(maxsize=256)
def _moments(cron: Cron, day: date) -> list[datetime]:
    """All moments of a local day in order, in UTC. An hour that comes twice counts as its first; a skipped one is
    computed with the offset from before the skip, and so lies after it."""
    zone = ZoneInfo(cron.zone)
    return sorted(
        {
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
            for hour in cron.hours
            for minute in cron.minutes
        }
    )


def checked_zone(name: str) -> str:
    """`name`, when the time zone database has it. Raises `InvalidInput`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # ZoneInfoNotFoundError is a KeyError; a name that is a path, or a folder of the database, raises the others.
        raise InvalidInput(f"no time zone is called {name!r}: write one as Europe/Lisbon, or UTC") from None
    return name


def local_zone() -> str:
    """The name of this machine's time zone; UTC where it has none."""
    try:
        from tzlocal import get_localzone_name
    except ImportError:
        raise MissingExtra("a schedule needs APScheduler: pip install 'hybridmem[schedule]'") from None
    return str(get_localzone_name() or "UTC")
