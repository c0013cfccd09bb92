"""Hindsight's export: a zip of ``manifest.json`` and documents, each with its text and the facts read in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.long_text import passages
from hybridmem.importers.times import moment_or_none

SOURCE = "hindsight"
_ROLE = "assistant"
_TIMES = ("occurred_start", "mentioned_at", "occurred_end")


def recognises(value: object) -> bool:
    """Whether `value` is one document, or the manifest."""
    return _is_document(value) or _is_manifest(value)


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> Iterator[Entry]:
        if _is_manifest(value):
            yield LeftOut("the manifest")
            return
        if not _is_document(value):
            raise InvalidInput("it is no document: it has neither an original_text nor facts")
        document = str(value.get("id") or number)
        tags = value.get("tags")
        about: dict[str, Any] = {"tags": tags} if isinstance(tags, list) and tags else {}
        created = moment_or_none(value.get("created_at"))
        original = value.get("original_text")
        for part, passage in enumerate(passages(original) if isinstance(original, str) else ()):
            key = f"{document}#{part}"
            yield ImportedTurn(passage, "document", None, document, created, SOURCE, trust_of("document"), about, key)
        facts = value.get("facts")
        for place, fact in enumerate(facts if isinstance(facts, list) else [], 1):
            try:
                yield _fact(fact, document, about, created)
            except InvalidInput as error:
                yield BrokenLine(number, f"document {document}, fact {place}: {error}")


def _is_document(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    facts = value.get("facts")
    return isinstance(value.get("original_text"), str) or (
        isinstance(facts, list) and any(isinstance(fact, Mapping) and "fact_type" in fact for fact in facts)
    )


def _is_manifest(value: object) -> bool:
    return isinstance(value, Mapping) and "schema_version" in value and not isinstance(value.get("agents"), list)


def _fact(fact: object, document: str, about: Mapping[str, Any], created: Any) -> Entry:
    if not isinstance(fact, Mapping):
        raise InvalidInput("it is not an object")
    text = fact.get("text")
    if not isinstance(text, str) or not text.strip():
        return LeftOut("no words")
    given = fact.get("metadata")
    kept = {name: fact[name] for name in ("fact_type", "entities", "occurred_start", "occurred_end") if fact.get(name)}
    tags = [*about.get("tags", ()), *(fact["tags"] if isinstance(fact.get("tags"), list) else ())]
    metadata = {**(given if isinstance(given, Mapping) else {}), **kept, **({"tags": tags} if tags else {})}
    at = next((time for name in _TIMES if (time := moment_or_none(fact.get(name))) is not None), created)
    return ImportedTurn(checked_text(text.strip()), _ROLE, None, document, at, SOURCE, trust_of(_ROLE), metadata)
