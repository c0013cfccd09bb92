"""Mem0's filters as the core's: its names of fields, its wildcard, and AND, OR and NOT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.evaluate import holds
from hybridmem.core.filters.parse import parse
from hybridmem.core.namespace import Namespace
from hybridmem.integrations.mem0.scope import owner_of

EXPIRES = "expiration_date"
JOINS = {"AND": "and", "OR": "or", "NOT": "not"}
_FIELDS = {"run_id": "session", "actor_id": "speaker", "role": "role", "agent_id": "metadata.agent_id"}
_NEGATIVE = ("ne", "nin")
_NOTHING: dict[str, Any] = {"kind": {"in": []}}
Filters = dict[str, Any]


def translated(filters: Mapping[str, Any], namespace: Namespace) -> Filters:
    """The core's filter that means what Mem0's `filters` mean for memories of `namespace`. Every name that is none of
    Mem0's own is a key of the user's metadata, ``score`` and ``id`` among them. Raises `InvalidInput`."""
    parts = [_key(str(name), wanted, namespace) for name, wanted in filters.items()]
    return {"and": parts} if parts else {}


def not_expired(now: datetime) -> Filters:
    """What Mem0 shows: the expiration date is the last day on which a memory is valid."""
    # Folders of earlier versions have the date in the metadata.
    older = {"not": {f"metadata.{EXPIRES}": {"lt": now.date().isoformat()}}}
    return {"and": [{"or": [{"expires_at": None}, {"expires_at": {"gt": now}}]}, older]}


def expiry(value: object) -> datetime:
    """The end of the last day on which a memory is valid. Raises `InvalidInput`."""
    try:
        last = date.fromisoformat(value.isoformat()[:10] if isinstance(value, date) else str(value))
        following = last + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(f"the expiration date {str(value)[:40]!r} is none: write it as 2026-12-31") from None
    return datetime(following.year, following.month, following.day, tzinfo=UTC)


def last_day(expires_at: datetime) -> str:
    """The date that Mem0 shows for a memory that expires then.

    >>> last_day(expiry("2026-12-31"))
    '2026-12-31'
    """
    return (expires_at - timedelta(microseconds=1)).date().isoformat()


def _key(name: str, wanted: Any, namespace: Namespace) -> Filters:
    if name in JOINS:
        if wanted == [] and name == "AND":
            return {}  # conditions that a program collects may be none
        if not isinstance(wanted, list) or not all(isinstance(each, Mapping) for each in wanted) or not wanted:
            raise InvalidInput(f"the filter {name} is no list of filters: write {{'{name}': [{{...}}, {{...}}]}}")
        return {JOINS[name]: [translated(each, namespace) for each in wanted]}
    if name == "user_id":
        # The namespace has it, and no memory.
        owner = {"metadata": owner_of(namespace)}
        return {} if holds(parse({"metadata.user_id": _plain(wanted)}), owner) else _NOTHING
    if name == "created_at":
        said = _each(wanted, lambda value: parse_time(value) if _is_number(value) else value)
        return {"or": [{"kind": "episode", "at": said}, {"kind": "fact", "recorded_at": said}]}
    if name == "updated_at":
        raise InvalidInput("memories cannot be filtered by updated_at: filter by created_at")
    if name == EXPIRES:
        join = "and" if isinstance(wanted, Mapping) and any(each in wanted for each in _NEGATIVE) else "or"
        ends = _each(wanted, lambda value: value if value is None else expiry(value))
        return {join: [{"expires_at": ends}, {f"metadata.{EXPIRES}": _plain(wanted)}]}
    return {_FIELDS.get(name, f"metadata.{name}"): _plain(wanted)}


def _plain(wanted: Any) -> Any:
    return {"exists": True} if isinstance(wanted, str) and wanted == "*" else wanted


def _each(wanted: Any, convert: Callable[[Any], Any]) -> Any:
    """A condition with each of its values converted."""
    plain = _plain(wanted)
    if isinstance(plain, Mapping):
        return {name: value if name == "exists" else _each(value, convert) for name, value in plain.items()}
    if isinstance(plain, list | tuple | set):
        return [convert(value) for value in plain]
    return convert(plain)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
