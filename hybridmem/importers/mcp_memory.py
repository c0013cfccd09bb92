"""The file of MCP's reference memory server, ``memory.jsonl``: entities with observations, and relations.

An observation is a memory, "NAME: observation"; a relation is a fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedFact, ImportedTurn, LeftOut
from hybridmem.importers.times import moment_or_none

SOURCE = "mcp-memory"
_ROLE = "assistant"
_NAME, _TYPE = ("name", "entityName"), ("entityType", "entity_type")
_FROM, _TO = ("from", "from_id", "source"), ("to", "to_id", "target")
_RELATION = ("relationType", "relation_type", "relation")


def recognises(value: object) -> bool:
    """Whether `value` is an entity, a relation, or a graph of both."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("entities"), list) and isinstance(value.get("relations"), list):
        return True
    if value.get("type") in ("entity", "observation"):
        return _first(value, _NAME) is not None
    return value.get("type") == "relation" and _first(value, _FROM) is not None


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> Iterator[Entry]:
        if isinstance(value, Mapping) and isinstance(value.get("entities"), list):
            relations = value.get("relations")
            for item in [*value["entities"], *(relations if isinstance(relations, list) else [])]:
                try:
                    yield from _entries(item)
                except InvalidInput as error:
                    yield BrokenLine(number, str(error))
        else:
            yield from _entries(value)


def _entries(value: object) -> list[Entry]:
    if not isinstance(value, Mapping):
        raise InvalidInput("it is not an object")
    name, subject = _first(value, _NAME), _first(value, _FROM)
    if name is not None and (value.get("type") in ("entity", "observation") or subject is None):
        return _observations(name, value)
    relation, target = _first(value, _RELATION), _first(value, _TO)
    if subject is None or relation is None or target is None:
        raise InvalidInput("it is neither an entity with a name nor a relation with both ends and a type")
    for part in (subject, relation, target):
        checked_text(part)
    return [ImportedFact(subject, relation.replace("_", " "), target, source=SOURCE, trust=trust_of(_ROLE))]


def _observations(name: str, value: Mapping[str, Any]) -> list[Entry]:
    listed = value.get("observations", value.get("contents"))
    observations = listed if isinstance(listed, list) else [listed]
    about = {"entity": name}
    if (kind := _first(value, _TYPE)) is not None:
        about["entity_type"] = kind
    found: list[Entry] = []
    for observation in observations:
        if observation is None:
            continue
        inner = observation if isinstance(observation, Mapping) else {"content": observation}
        text = inner.get("content")
        text = str(text) if isinstance(text, (int, float)) and not isinstance(text, bool) else text
        if not isinstance(text, str) or not text.strip():
            found.append(LeftOut("no words"))
            continue
        at = moment_or_none(inner.get("timestamp")) or moment_or_none(inner.get("createdAt"))
        said = checked_text(f"{name}: {text.strip()}")
        found.append(ImportedTurn(said, _ROLE, None, None, at, SOURCE, trust_of(_ROLE), about))
    return found or [LeftOut("entities without observations")]


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next(
        (value[name].strip() for name in names if isinstance(value.get(name), str) and value[name].strip()), None
    )
