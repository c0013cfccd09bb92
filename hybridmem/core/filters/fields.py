"""The fields that a filter can name, their types, and the values that a memory has in them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact, Kind, Trust

FieldType = Literal["text", "choice", "time", "number", "flag", "tags", "json"]
METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a memory, or a place in its metadata."""

    name: str
    type: FieldType
    path: str = ""
    """For ``metadata.PATH``: the place, with a dot before each inner name."""
    choices: tuple[str, ...] = ()
    """The only values that it takes, where there are few."""


def _fields(type: FieldType, *names: str) -> dict[str, Field]:
    return {name: Field(name, type) for name in names}


FIELDS: Mapping[str, Field] = {
    **_fields("text", "id", "text", "role", "speaker", "session", "source"),
    **_fields("text", "subject", "relation", "object", "question"),
    **_fields("time", "at", "recorded_at", "expires_at", "valid_from", "valid_to", "retired_at"),
    **_fields("number", "evidence"),
    **_fields("flag", "quarantined"),
    **_fields("tags", "tags"),
    "kind": Field("kind", "choice", choices=get_args(Kind)),
    "trust": Field("trust", "choice", choices=get_args(Trust)),
}
"""Every field but those in the metadata, by name. `at` of a fact is the beginning of its validity."""
OF_SOURCES = ("role", "speaker", "session", "source")
"""Fields that a fact has from an episode behind it, beside that episode's metadata and tags."""


def field_named(name: object) -> Field:
    """The field `name`, or a place in the metadata, as in ``metadata.channel``. Raises `InvalidInput`."""
    if isinstance(name, str):
        if name in FIELDS:
            return FIELDS[name]
        outer, _, path = name.partition(".")
        if outer == METADATA and path:
            return Field(name, "json", path)
    written = str(name)[:80]
    near = difflib.get_close_matches(written.lower(), [*FIELDS, "and", "or", "not"], n=1, cutoff=0.75)
    hint = f"did you mean {near[0]!r}?" if near else f"in the metadata, it is {f'{METADATA}.{written}'!r}"
    if written == METADATA:
        hint = f"name a key in it, as in '{METADATA}.channel'"
    raise InvalidInput(f"there is no field {written!r}: {hint} (fields: {', '.join(sorted(FIELDS))}, metadata.KEY)")


def view(record: Episode | Fact, source: Episode | None = None) -> Mapping[str, Any]:
    """What `record` has in each field. A fact is looked at beside one `source`, whose session, role, speaker, metadata
    and tags it has; its own metadata comes first."""
    if isinstance(record, Episode):
        return {**_common(record), **_said(record), "kind": "episode", "at": record.at}
    return {
        **_common(record),
        **(_said(source) if source is not None else {}),
        "kind": "fact",
        "at": record.valid_from,
        "subject": record.subject,
        "relation": record.relation,
        "object": record.object,
        "question": record.question or None,
        "valid_from": record.valid_from,
        "valid_to": record.valid_to,
        "retired_at": record.retired_at,
        "evidence": record.evidence,
        METADATA: {**(source.metadata if source is not None else {}), **record.metadata},
        "tags": (*(source.tags if source is not None else ()), *record.tags),
    }


def _common(record: Episode | Fact) -> dict[str, Any]:
    return {
        "id": record.id,
        "text": record.text,
        "trust": record.trust,
        "recorded_at": record.recorded_at,
        "expires_at": record.expires_at,
        "quarantined": record.quarantined,
    }


def _said(episode: Episode) -> dict[str, Any]:
    own = {name: getattr(episode, name) for name in OF_SOURCES}
    return {**own, METADATA: episode.metadata, "tags": episode.tags}
