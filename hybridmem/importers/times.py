"""Times as files write them: ISO 8601, seconds since 1970 and its fractions, and the spellings of mail and of people.

>>> [moment(each).isoformat() for each in ("1772323200", "Mar 1, 2026")]
['2026-03-01T00:00:00+00:00', '2026-03-01T00:00:00+00:00']
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from hybridmem.core.clock import parse_time, written_time
from hybridmem.core.errors import InvalidDate

NO_ZONE = timezone(timedelta(0), "no zone")
"""The zone of a time of day that is written without one: as good as UTC until `dating.in_zone` says where its clock
stood. A date without a time of day stays in UTC: in another zone it would become another day."""

_NUMBER = re.compile(r"-?\d{1,19}(?:\.\d+)?")
_TIME_OF_DAY = re.compile(r"\d[Tt ]\d")
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? ", re.IGNORECASE)
_UTC = re.compile(r" (?:UTC|GMT|Z)$")
_SPELLINGS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y %I:%M %p",
    "%B %d, %Y %I:%M %p",
    "%b %d, %Y %H:%M",
    "%B %d, %Y %H:%M",
    "%d %b %Y %H:%M",
    "%d %B %Y %H:%M",
    "%b %d, %Y %I:%M%p",
    "%B %d, %Y %I:%M%p",
    "%b %d, %Y %I:%M:%S %p",
    "%B %d, %Y %I:%M:%S %p",
)
"""Spellings in which day and month cannot be taken for each other: between dots, the day comes first."""


def moment(value: object) -> datetime | None:
    """The time that `value` writes, in UTC; None for None and "". Raises `InvalidDate`.

    A number counts seconds, milliseconds, microseconds or nanoseconds since 1970: the unit is the one that puts it
    before the year 5138. A text without a zone is taken as UTC; where it has a time of day, the time says so by its
    zone, which is `NO_ZONE`."""
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return parse_time(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidDate(f"{value!r} is neither a date nor seconds since 1970")
    if isinstance(value, (int, float)):
        return _since_1970(value)
    text = value.strip()
    if _NUMBER.fullmatch(text) and not re.fullmatch(r"\d{4}|(?:19|20)\d{6}", text):
        return _since_1970(float(text) if "." in text else int(text))
    try:
        written = written_time(text)
    except InvalidDate:
        return _spelt(text)
    if written.tzinfo is not None:
        return parse_time(written)
    return written.replace(tzinfo=NO_ZONE if _TIME_OF_DAY.search(text) else UTC)


def moment_or_none(value: object) -> datetime | None:
    """`moment`, and None too for what cannot be read: for exports, in which a neighbour's time is near enough."""
    try:
        return moment(value)
    except InvalidDate:
        return None


def _since_1970(number: float) -> datetime:
    try:
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if finite:
        for _ in range(3):
            if abs(number) > 1e11:
                number = number / 1000
        try:
            return datetime.fromtimestamp(number, UTC)
        except (OverflowError, OSError, ValueError):
            pass
    raise InvalidDate(f"{number} is out of range for seconds since 1970")


def _spelt(text: str) -> datetime:
    plain = re.sub(r"\s+(?:at\s+)?", " ", text.replace("\u202f", " "))
    plain = _WEEKDAY.sub("", re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", plain))
    timed = _UTC.sub("", plain)
    for spelling in _SPELLINGS:
        try:
            read = datetime.strptime(timed, spelling)
            return read.replace(tzinfo=NO_ZONE if "%M" in spelling and timed == plain else UTC)
        except ValueError:
            continue
    try:
        sent = parsedate_to_datetime(text)
        return parse_time(sent) if sent.tzinfo is not None else sent.replace(tzinfo=NO_ZONE)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise InvalidDate(
            f"{text[:60]!r} is not a date: write it as 2026-03-01, 2026-03-01T09:00:00Z or seconds since 1970"
        ) from None
