"""The options of a search that stand for common filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hybridmem.core.clock import end_of_time, parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.nodes import Filter, all_of
from hybridmem.core.filters.parse import parse
from hybridmem.core.roles import role_of


def asked_for(
    filters: Mapping[str, Any] | None = None,
    *,
    since: str | date | None = None,
    until: str | date | None = None,
    session: str | None = None,
    role: str | Sequence[str] | None = None,
    trust: str | Sequence[str] | None = None,
) -> Filter:
    """`filters`, and what the options ask for beside them: said (or valid) from `since` on and up to `until`, a whole
    day where that is a date, and in that `session`, by a `role` (in any of its spellings: human is user) and with a
    `trust` among those named.

    Raises `InvalidInput`."""
    if isinstance(role, str):
        role = role_of(role)
    elif isinstance(role, Sequence):
        role = [role_of(each) for each in role]
    given = {"session": session, "role": role, "trust": trust}
    written: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    period = {name: value for name, value in (("gte", since), ("lte", until)) if value is not None}
    if period:
        written["at"] = period
    asked = all_of(parse(filters), parse(written))
    if since is not None and until is not None and parse_time(since) > end_of_time(until):
        raise InvalidInput(f"since {since} is after until {until}, and nothing lies between them: swap them")
    return asked
