"""Times: aware `datetime`s in UTC, and the clock that is passed in wherever one is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from hybridmem.core.errors import InvalidDate

Clock = Callable[[], datetime]
"""Returns the present time."""
_MILLISECONDS = 1e11


def parse_time(value: str | float | datetime) -> datetime:
    """An ISO 8601 date or time, or Unix seconds, as an aware UTC time. Text without a zone is taken as UTC; a naive
    `datetime` is local time, as `datetime.astimezone` takes it.

    Numbers above 1e11 are milliseconds: as seconds they would lie after the year 5000. Raises `InvalidDate`.

    >>> parse_time("2026-03-01").isoformat(), parse_time(1772323200).isoformat()
    ('2026-03-01T00:00:00+00:00', '2026-03-01T00:00:00+00:00')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS else value, UTC)
        except (OverflowError, OSError, ValueError):
            raise InvalidDate(f"{value} is out of range: pass seconds since 1970") from None
    if isinstance(value, str):
        try:
            # RFC 3339 also takes t and z.
            written = datetime.fromisoformat(value.strip().upper())
        except ValueError:
            raise InvalidDate(f"{value!r} is not a date: write it as 2026-03-01 or 2026-03-01T09:00:00Z") from None
        value = written if written.tzinfo else written.replace(tzinfo=UTC)
    if not isinstance(value, datetime):
        raise InvalidDate(f"{str(value)[:40]!r} is not a date: write it as 2026-03-01 or 2026-03-01T09:00:00Z")
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidDate(f"{value.isoformat()} is no time in UTC: use a year from 1 to 9999") from None


def utc_now() -> datetime:
    """The system's clock; pass another callable wherever a `clock` is asked for."""
    return datetime.now(UTC)
