"""Changes to what is kept beside a memory's words: its metadata, its tags, and when it expires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.plain_json import sound_json
from hybridmem.core.records import TAGS, Fact, MemoryRecord, checked_text, has_expired, tags_in

OURS = "hybridmem."
"""What the keys of metadata begin with that only hybridmem writes."""


class Unchanged(Enum):
    """Stands for an argument that was not given, where None has a meaning."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to change; the rest stays."""

    metadata: Mapping[str, Any] | None = None
    """Merged into the metadata as a JSON merge patch (RFC 7396): null removes a key, objects merge key by key."""
    tags: tuple[str, ...] | None = None
    """In place of the tags; () for none."""
    expires_at: datetime | Unchanged | None = UNCHANGED
    """None for never."""


def edit_of(
    metadata: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
    expires_at: str | float | datetime | Unchanged | None = UNCHANGED,
) -> Edit:
    """The edit that a caller's arguments ask for. Raises `InvalidInput`."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InvalidInput(f"the metadata {str(metadata)[:40]!r} is no object: pass keys with their values")
    for key in metadata or ():
        if str(key).startswith(OURS):
            raise InvalidInput(f"the metadata {str(key)[:80]!r} is hybridmem's own: choose another key")
    expires = expires_at if isinstance(expires_at, Unchanged) or expires_at is None else parse_time(expires_at)
    return Edit(_sound(metadata), None if tags is None else checked_tags(tags), expires)


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """`tags`, each once. Raises `InvalidInput` for what is no list of texts."""
    if isinstance(tags, str | Mapping) or not isinstance(tags, Iterable):
        raise InvalidInput(f"the tags {str(tags)[:40]!r} are no list: pass texts, as in ['travel', 'porto']")
    every = list(tags)
    for tag in every:
        if not isinstance(tag, str) or not tag.strip():
            raise InvalidInput(f"the tag {str(tag)[:40]!r} is no text with words in it: leave it out")
    return tuple(dict.fromkeys(checked_text(tag).strip() for tag in every))


def tagged(metadata: Mapping[str, Any], tags: Iterable[str]) -> dict[str, Any]:
    """`metadata` with `tags` beside the tags that it has, in texts that can be written. Raises `InvalidInput`."""
    new = checked_tags(tags)
    given = _sound(metadata) or {}
    return {**given, TAGS: list(dict.fromkeys((*tags_in(given), *new)))} if new else dict(given)


def _sound(metadata: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """`metadata` as `sound_json` has it. Raises `InvalidInput`."""
    return sound_json(metadata, "the metadata") if metadata else metadata


def edited(record: MemoryRecord, edit: Edit, at: datetime) -> tuple[MemoryRecord, dict[str, Any]]:
    """(`record` after `edit`, what changed by field as [before, after], for its history).

    Raises `InvalidInput` for a fact that has expired: nobody believes it any more, and no later date brings it back."""
    metadata = _merged(record.metadata, edit.metadata or {})
    if edit.tags is not None:
        metadata = {**{key: value for key, value in metadata.items() if key != TAGS}, **tagged({}, edit.tags)}
    expires = record.expires_at if isinstance(edit.expires_at, Unchanged) else edit.expires_at
    changes: dict[str, Any] = {
        f"metadata.{key}": [record.metadata.get(key), metadata.get(key)]
        for key in sorted({*record.metadata, *metadata})
        if record.metadata.get(key) != metadata.get(key) or (key in record.metadata) != (key in metadata)
    }
    if expires != record.expires_at:
        if isinstance(record, Fact) and not record.current and has_expired(record, at):
            raise InvalidInput(f"the fact {record.id!r} has expired: state it again with a later date, or without one")
        changes["expires_at"] = [_written(record.expires_at), _written(expires)]
    return replace(record, metadata=metadata, expires_at=expires), changes


def is_revived(before: MemoryRecord, after: MemoryRecord, at: datetime) -> bool:
    """Whether an edit at `at` brought back a memory that had expired: dreams have to read it anew."""
    return has_expired(before, at) and not has_expired(after, at)


def _merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            inner = merged.get(key)
            merged[key] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _written(time: datetime | None) -> str | None:
    return time.isoformat() if time is not None else None
