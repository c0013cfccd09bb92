"""The options that keep a command to some of the memories."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Trust

_SHORT = re.compile(r"\s*([A-Za-z_][^\s=!<>~]*)\s*(!=|>=|<=|=|>|<|~)\s*(.*)", re.DOTALL)
_OPERATORS = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "icontains"}
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="FILTER",
        help="Only memories whose fields satisfy FIELD=VALUE (or !=, <, <=, >, >=, ~ for contains), as in "
        "tags=travel or 'metadata.stars>=3', or a filter in JSON; repeated, all must hold. See docs/filters.md.",
    ),
]


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """What a search keeps to."""

    filter: FilterOption = None
    min_score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Only memories of at least this relevance; none if nothing bears on QUERY."),
    ] = None
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what was said, or holds, from then on, in ISO 8601.")
    ] = None
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Only what was said, or holds, up to then; a date includes its day."),
    ] = None
    session: Annotated[str | None, typer.Option(help="Only this conversation.")] = None
    role: Annotated[str | None, typer.Option(help="Only what this role said: user, assistant, tool ...")] = None
    trust: Annotated[
        Trust | None, typer.Option(metavar="|".join(get_args(Trust)), help="Only what is vouched for like this.")
    ] = None
    half_life_days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Rank older memories lower, by half every so many days.")
    ] = None

    def options(self) -> dict[str, Any]:
        """As `HybridMemory.search` takes them."""
        return {
            "filters": written_filters(self.filter or ()),
            "min_score": self.min_score,
            "since": self.since,
            "until": self.until,
            "session": self.session,
            "role": self.role,
            "trust": self.trust,
            "half_life_days": self.half_life_days,
        }


def written_filters(given: Sequence[str]) -> dict[str, Any] | None:
    """The filter that all of `given` ask for together; None without any. Raises `InvalidInput`.

    >>> written_filters(["tags=travel", "metadata.stars>=3"])
    {'and': [{'tags': {'eq': 'travel'}}, {'metadata.stars': {'gte': 3}}]}
    """
    parts = [_filter(written) for written in given]
    return {"and": parts} if parts else None


def _filter(written: str) -> dict[str, Any]:
    if written.lstrip().startswith("{"):
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            raise InvalidInput(f"--filter {written[:80]!r} is not JSON: check its quotes and brackets") from None
        return dict(found)
    short = _SHORT.fullmatch(written)
    if short is None:
        raise InvalidInput(f"--filter {written[:80]!r} is not FIELD=VALUE: write it as tags=travel, or as JSON")
    name, sign, value = short[1], short[2], short[3].strip()
    return {name: {_OPERATORS[sign]: value if sign == "~" else _value(name, value)}}


def _value(name: str, written: str) -> Any:
    """In the metadata, and for fields with numbers and flags, what is JSON is read as JSON; else it is a text."""
    if name.partition(".")[0] != "metadata" and name not in ("evidence", "quarantined") and written != "null":
        return written
    try:
        return json.loads(written)
    except ValueError:
        return written
