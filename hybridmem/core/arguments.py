"""What a caller passed, checked at the door: one error that names the argument, what it got and what it takes.

>>> whole("limit", 10**30, least=1, most=100)
100
>>> text("query", 42)
Traceback (most recent call last):
hybridmem.core.errors.InvalidInput: query is an int (42): pass a text
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate, InvalidInput

MAX_POSITION = 2**63 - 1
"""The highest running number of a ledger: what a database's integer holds."""
_SHOWN = 40


def text(name: str, value: object) -> str:
    """`value`, which must be a text; empty or not is for another check. Raises `InvalidInput`."""
    if not isinstance(value, str):
        raise _refused(name, value, "pass a text")
    return value


def optional_text(name: str, value: object) -> str | None:
    """`value`, which must be a text or None. Raises `InvalidInput`."""
    return None if value is None else text(name, value)


def text_or_number(name: str, value: object) -> str:
    """`value` as a text; a number is taken as it is written. Raises `InvalidInput`.

    >>> text_or_number("object", 42)
    '42'
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(name, value, "pass a text or a number that is one")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text(name, value)


def whole(name: str, value: object, *, least: int, most: int) -> int:
    """`value`, which must be a whole number of at least `least`; one above `most` is taken as `most`. Raises
    `InvalidInput`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refused(name, value, "pass a whole number")
    if value < least:
        raise InvalidInput(f"{name} is {_shown(value)}: pass at least {least}")
    return min(value, most)


def choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise `InvalidInput` for a `value` that is none of `choices`."""
    if value not in choices:
        raise InvalidInput(f"there is no {name} {_shown(value)}: choose among {', '.join(choices)}")


def time_or_none(name: str, value: Any) -> datetime | None:
    """`value` as an aware UTC time, as `clock.parse_time` reads it; None stays. Raises `InvalidDate`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None:
        return None
    if number or isinstance(value, str | date) or hasattr(value, "item"):
        return parse_time(value)
    raise InvalidDate(f"{name} is {kind_of(value)}: pass a date as 2026-03-01, or a datetime")


def mapping_or_none(name: str, value: object) -> None:
    """Raise `InvalidInput` for a `value` that is neither a mapping with texts as keys nor None."""
    if value is None:
        return
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _refused(name, value, "pass an object with texts as keys")


def path(name: str, value: object) -> Path:
    """`value` as a path, with ``~`` as the home directory: hosts that start a program without a shell leave it there.

    Raises `InvalidInput`."""
    if not isinstance(value, str | os.PathLike):
        raise _refused(name, value, "pass a path")
    if not os.fspath(value):
        # an unset variable of a shell, which would stand for the working directory
        raise InvalidInput(f"the {name} is empty: pass a path, or . for the working directory")
    given = Path(value)
    if "\x00" in str(given):
        raise InvalidInput(f"the {name} has a NUL character: remove it")
    try:
        return given.expanduser()
    except RuntimeError:
        raise InvalidInput(f"{given} names no home directory: write the path out") from None


def kind_of(value: object) -> str:
    """What `value` is, for an error.

    >>> kind_of(42), kind_of(b""), kind_of(None)
    ('an int', 'a bytes', 'None')
    """
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _refused(name: str, value: object, advice: str) -> InvalidInput:
    found = kind_of(value) if value is None else f"{kind_of(value)} ({_shown(value)})"
    return InvalidInput(f"{name} is {found}: {advice}")


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return f"of {value.bit_length()} bits"
    written = repr(value)
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}..."
