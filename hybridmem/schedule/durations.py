"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from hybridmem.core.errors import InvalidInput

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def duration(text: str) -> timedelta:
    """Reads ``90s``, ``30m``, ``12h`` or ``2d``; ``0`` for none. Raises `InvalidInput`.

    >>> duration("12h")
    datetime.timedelta(seconds=43200)
    """
    if text.strip() == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text.strip())
    if found is None or (seconds := float(found[1]) * _UNITS[found[2]]) > 366 * _UNITS["d"]:
        raise InvalidInput(f"{text!r} is not a length of time: write it as 30m, 12h or 2d, a year at most")
    return timedelta(seconds=seconds)


def written(length: timedelta) -> str:
    """A duration in the form that `duration` reads.

    >>> written(timedelta(hours=12)), written(timedelta(seconds=90))
    ('12h', '90s')
    """
    seconds = length.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s" if seconds else "0"
