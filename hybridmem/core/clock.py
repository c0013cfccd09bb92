"""Times: aware `datetime`s in UTC, and the clock that is passed in wherever one is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from hybridmem.core.errors import InvalidDate

Clock = Callable[[], datetime]
"""Returns the present time."""


def parse_time(value: str | datetime) -> datetime:
    """An ISO 8601 date or time as an aware UTC time. Text without a zone is taken as UTC; a naive `datetime` is local
    time, as `datetime.astimezone` takes it. Raises `InvalidDate`.

    >>> parse_time("2026-03-01").isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    if not isinstance(value, str | datetime):
        raise InvalidDate(f"{value!r} is not a date: pass a text as 2026-03-01, or a datetime")
    if isinstance(value, str):
        try:
            written = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidDate(f"{value!r} is not a date: write it as 2026-03-01 or 2026-03-01T09:00:00Z") from None
        value = written if written.tzinfo else written.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidDate(f"{value.isoformat()} is no time in UTC: use a year from 1 to 9999") from None


def utc_now() -> datetime:
    """The system's clock; pass another callable wherever a `clock` is asked for."""
    return datetime.now(UTC)
