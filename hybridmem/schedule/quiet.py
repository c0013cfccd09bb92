"""Quiet hours: times of day at which no dream starts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hybridmem.core.errors import InvalidInput

_WINDOW = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Windows of the day in minutes since midnight, as (first minute, minute after the last)."""

    windows: tuple[tuple[int, int], ...] = ()
    zone: str = "UTC"

    @classmethod
    def parse(cls, texts: Sequence[str], zone: str) -> QuietHours:
        """Reads ``08:00-20:00``, or ``22:00-06:00`` over midnight. Raises `InvalidInput`, also if no minute of the day
        is left.

        >>> QuietHours.parse(["22:00-06:00"], "UTC").windows
        ((0, 360), (1320, 1440))
        """
        windows: list[tuple[int, int]] = []
        for text in texts:
            windows += _windows(text)
        hours = cls(tuple(sorted(windows)), zone)
        if all(hours._covers(minute) for minute in range(_DAY)):
            raise InvalidInput(
                f"the quiet hours {', '.join(texts)} cover the whole day, and no dream would ever start: leave some out"
            )
        return hours

    def until(self, moment: datetime) -> datetime | None:
        """The end in UTC of the quiet hours around `moment`; None if it is in none."""
        local = moment.astimezone(ZoneInfo(self.zone))
        if not self._covers(_minute(local)):
            return None
        end = local.astimezone(UTC).replace(second=0, microsecond=0)
        while self._covers(_minute(end.astimezone(ZoneInfo(self.zone)))):
            end += timedelta(minutes=1)
        return end

    def _covers(self, minute: int) -> bool:
        return any(first <= minute < last for first, last in self.windows)


def _windows(text: str) -> list[tuple[int, int]]:
    found = _WINDOW.fullmatch(text.strip())
    first, last = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, _DAY + 1)
    if first >= _DAY or last > _DAY:
        raise InvalidInput(f"{text!r} are no quiet hours: write them as 08:00-20:00")
    if first == last:
        return [(0, _DAY)]
    return [(first, last)] if first < last else [(first, _DAY), (0, last)]


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute
