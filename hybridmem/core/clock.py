"""Times: aware `datetime`s in UTC, and the clock that is passed in wherever one is needed."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hybridmem.core.errors import InvalidDate

Clock = Callable[[], datetime]
"""Returns the present time."""
Time = str | date | datetime | float
"""What is taken where a time is: ISO 8601, a date, a moment, or Unix time in seconds. Values of numpy and pandas that
stand for one of these are taken too."""

_ADVICE = "write it as 2026-03-01 or 2026-03-01T09:00:00Z"
_BARE_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}-?\d")
_BARE_WEEK = re.compile(r"\d{4}-?W\d{2}")
_BARE_MONTH = re.compile(r"\d{4}-\d{2}")
_BARE_YEAR = re.compile(r"\d{4}")
_MIDNIGHT_24 = re.compile(r"[Tt ]24:?00")
_LEAP_SECOND = re.compile(r"(:\d{2}:)60(?=\D|$)")
_MILLISECONDS = 1e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(value: Time) -> datetime:
    """`value` as an aware UTC time: an ISO 8601 or RFC 3339 text, a `date`, a month as 2026-03, a year or a week as
    2026-W10 (its first moment), a `datetime`, or seconds since 1970 (above 1e11 they are milliseconds: as seconds they
    would lie after the year 5000).

    Text without a zone is taken as UTC, a naive `datetime` as local time, as `datetime.astimezone` takes it, and a leap
    second as the last second of its minute. Raises `InvalidDate`.

    >>> parse_time("2026-03-01").isoformat(), parse_time(1772323200).isoformat()
    ('2026-03-01T00:00:00+00:00', '2026-03-01T00:00:00+00:00')
    """
    plain = _plain(value)
    if isinstance(plain, str):
        plain = written_time(plain)
        plain = plain if plain.tzinfo else plain.replace(tzinfo=UTC)
    elif isinstance(plain, int | float) and not isinstance(plain, bool):
        return _of_unix_time(plain)
    elif isinstance(plain, date) and not isinstance(plain, datetime):
        plain = datetime(plain.year, plain.month, plain.day, tzinfo=UTC)
    if not isinstance(plain, datetime) or plain != plain:  # pandas' NaT is a datetime unlike itself
        raise InvalidDate(f"{value!r} is not a date: {_ADVICE}")
    try:
        return plain.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidDate(f"{plain.isoformat()} is no time in UTC: use a year from 1 to 9999") from None


def end_of_time(value: Time) -> datetime:
    """The last moment that `value` means: of a date without a time the end of that day in UTC, of a week, a month or a
    year the end of its last day, else the moment itself.

    >>> end_of_time("2026-03-01").isoformat(), end_of_time("2026-03-01T09:00Z").isoformat()
    ('2026-03-01T23:59:59.999999+00:00', '2026-03-01T09:00:00+00:00')
    """
    moment = parse_time(value)
    plain = _plain(value)
    days = _days_of(plain.strip(), moment) if isinstance(plain, str) else int(type(plain) is date)
    # One microsecond more might be a day beyond the calendar.
    return moment + (timedelta(days=days) - timedelta(microseconds=1)) if days else moment


def _days_of(written: str, first: datetime) -> int:
    """How many days `written`, which begins at `first`, names; 0 where it names a moment."""
    if _BARE_YEAR.fullmatch(written):
        return 365 + calendar.isleap(first.year)
    if _BARE_MONTH.fullmatch(written):
        return calendar.monthrange(first.year, first.month)[1]
    if _BARE_WEEK.fullmatch(written.upper()):
        return 7
    return int(_BARE_DATE.fullmatch(written.upper()) is not None)


def utc_now() -> datetime:
    """The system's clock; pass another callable wherever a `clock` is asked for."""
    return datetime.now(UTC)


def _plain(value: Any) -> Any:
    """`value` as plain Python has it: numpy and pandas say how by `item` and `to_pydatetime`."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    unit = getattr(getattr(value, "dtype", None), "kind", "")
    if unit == "M":
        item = value.item()
        # At nanoseconds numpy gives a number of them, which would be taken for seconds.
        return value.astype("datetime64[us]").item() if isinstance(item, int) else item
    return value.item() if unit in ("i", "u", "f") and hasattr(value, "item") else value


def written_time(text: str) -> datetime:
    """The time that an ISO 8601 or RFC 3339 `text` writes: naive where it names no zone. Raises `InvalidDate`."""
    written = text.strip()
    if _BARE_YEAR.fullmatch(written):
        written = f"{written}-01-01"
    elif _BARE_MONTH.fullmatch(written):
        written = f"{written}-01"
    if _MIDNIGHT_24.search(written):
        raise InvalidDate(f"{text!r} has the hour 24: write 00:00 of the next day")
    try:
        return datetime.fromisoformat(_LEAP_SECOND.sub(r"\g<1>59", written).upper())
    except ValueError:
        raise InvalidDate(f"{text!r} is not a date: {_ADVICE}") from None


def _of_unix_time(seconds: float) -> datetime:
    if not math.isfinite(seconds):
        raise InvalidDate(f"{seconds} is not a date: {_ADVICE}")
    try:
        return _EPOCH + timedelta(seconds=seconds / 1000 if abs(seconds) > _MILLISECONDS else seconds)
    except OverflowError:
        raise InvalidDate(f"{seconds} is no Unix time: give the seconds since 1970, or {_ADVICE}") from None
