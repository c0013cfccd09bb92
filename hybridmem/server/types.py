"""The value types of requests; the schema says exactly what the checks enforce."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from hybridmem.core.clock import end_of_time, parse_time
from hybridmem.core.edit import OURS
from hybridmem.core.records import sound_text

DEEPEST = 32
"""Deepest nesting of metadata."""
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})([Tt](?P<time>\d{2}:\d{2}:\d{2})(?P<part>\.\d+)?(?P<zone>[Zz]|[+-]\d{2}:\d{2}))?"
)
_MONTH_OR_YEAR = r"^(?!0000)\d{4}(-(0[1-9]|1[0-2]))?$"
_EARLIEST, _LATEST = -62_135_596_800, 100_000_000_000
"""Bounds of Unix times in seconds: the year 1, and what the core takes for milliseconds."""


class Strict(BaseModel):
    """A request: unknown fields and other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Shape(BaseModel):
    """A response."""


def _time(value: object) -> datetime:
    """A date, or a date and a time with its zone, as RFC 3339 writes them; a month, a year, or Unix time in seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and _EARLIEST <= value <= _LATEST:
        return parse_time(value)
    if isinstance(value, str) and re.fullmatch(_MONTH_OR_YEAR, value, re.ASCII):
        return parse_time(value)
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write it as 2026-03-01 or 2026-03-01T09:00:00Z")
    day, time, part, zone = found["day"], found["time"], found["part"] or "", found["zone"] or ""
    # A leap second is read as the last second of its minute: `datetime` has no name for it.
    time = time[:-2] + "59" if time and time.endswith(":60") else time
    return parse_time(f"{day}T{time}{part[:7]}{zone.upper()}" if time else day)


def _written_time(value: str) -> str:
    """A date as it stands, a time as the core writes it: a filter tells the two apart."""
    time = _time(value)
    return value if len(value) <= len("2026-03-01") else time.isoformat()


def _end(value: object) -> datetime:
    """As `_time`, and for a date without a time the end of that day."""
    moment = _time(value)
    return end_of_time(value) if isinstance(value, str) and len(value) <= len("2026-03-01") else moment


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """`value`, unless it is nested so deeply that reading it back would overflow the stack."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return value
    raise ValueError(f"it is nested more than {DEEPEST} deep: flatten it")


def whole(value: object) -> object:
    """5.0 as 5: JSON Schema counts it as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# The bounds come before the validator: after it, the schema would not have them.
Few = Annotated[int, Field(ge=1, le=100), BeforeValidator(whole)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(whole)]
Integer = Annotated[int, BeforeValidator(whole)]
Position = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(whole)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0, le=1_000_000)]
Count = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(whole)]


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("it has a NUL character: remove it")
    return value


def _sound(value: object) -> object:
    """U+FFFD for half of a character, as a client leaves it that cuts a stream within an emoji."""
    return sound_text(value) if isinstance(value, str) else value


# Two rules and not one pattern: generators of examples would search long for a match of both.
_NO_NUL: dict[str, Any] = {"not": {"pattern": r"\x00"}}
Text = Annotated[
    str,
    BeforeValidator(_sound),
    # The longest length is only in the description: generators would make examples of that length.
    Field(min_length=1, pattern=r"\S", description="Words: at most a million characters.", json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
Words = Annotated[
    str,
    BeforeValidator(_sound),
    Field(min_length=1, max_length=10_000, pattern=r"\S", json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
Label = Annotated[
    str,
    BeforeValidator(_sound),
    Field(min_length=1, max_length=200, pattern=r"\S", json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
Spoken = Annotated[str, BeforeValidator(_sound)]
Name = Annotated[Spoken, Field(max_length=200, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Brief = Annotated[Spoken, Field(max_length=1_000, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Free = Annotated[
    str,
    BeforeValidator(_sound),
    Field(description="Words, or none: at most a million characters.", json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
_WRITTEN = [
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "date"},
    {"type": "string", "pattern": _MONTH_OR_YEAR},
]
_MOMENT = [*_WRITTEN, {"type": "number", "minimum": _EARLIEST, "maximum": _LATEST}]
_HOW = "RFC 3339: 2026-03-01T09:00:00Z, a date, a month or a year"
Moment = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema({"anyOf": _MOMENT, "description": f"{_HOW}; or Unix time in seconds."}),
]
UpTo = Annotated[
    datetime,
    BeforeValidator(_end),
    WithJsonSchema({"anyOf": _MOMENT, "description": f"{_HOW}, which mean their end; or Unix time in seconds."}),
]
Period = Annotated[
    str,
    AfterValidator(_written_time),
    WithJsonSchema({"anyOf": _WRITTEN, "description": f"{_HOW}, which stand for all of their days."}),
]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_flat),
    Field(description="Anything else to keep with it, as JSON.", max_length=100),
]
MetadataPatch = Annotated[
    dict[str, Any],
    AfterValidator(_flat),
    Field(
        description="Merged into the metadata as a JSON merge patch (RFC 7396): null removes a key.",
        max_length=100,
        json_schema_extra={"propertyNames": {"not": {"pattern": rf"^{re.escape(OURS)}"}}},
    ),
]
Tags = Annotated[list[Label], Field(max_length=100, description="Under the key tags of the metadata.")]
FILTERS = "Filters"
"""The title that marks a filter in the schema; `server.schema` writes out what it may be."""
Filters = Annotated[dict[str, Any], AfterValidator(_flat), WithJsonSchema({"type": "object", "title": FILTERS})]
SomeFilters = Annotated[
    dict[str, Any],
    Field(min_length=1),
    AfterValidator(_flat),
    WithJsonSchema({"type": "object", "title": FILTERS, "minProperties": 1}),
]
Limit = Annotated[int, Field(ge=1, le=1000)]
