"""Which kind of thing an answer is: a time, a number, or something else."""

from __future__ import annotations

from hybridmem.core.text.dates import dates, speaks_of_time


def of_one_kind(one: str, other: str) -> bool:
    """Whether `other` can take the place of `one`: a time of a time, a number of a number.

    >>> of_one_kind("2026-09-17", "Thursday"), of_one_kind("Friday", "at 9"), of_one_kind("Riga", "Oslo")
    (True, True, True)
    >>> of_one_kind("12 euros", "Ana"), of_one_kind("Friday", "Oslo")
    (False, False)
    """
    if dates(one) or speaks_of_time(one):
        return bool(dates(other)) or speaks_of_time(other) or _has_digit(other)
    return _has_digit(other) if _has_digit(one) else True


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
