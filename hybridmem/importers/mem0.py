"""Mem0's memories: the API's answers, page by page or in one, the CLI's list, and the Markdown file of its plugin.

They are what a model made of a conversation: the assistant's words, as far as trust goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers import front_matter
from hybridmem.importers.base import BrokenLine, Entry, ImportedFact, ImportedTurn, LeftOut
from hybridmem.importers.times import moment_or_none

SOURCE = "mem0"
ROLE = "assistant"
_TEXTS = ("memory", "text", "content", "data")
_OWNERS = ("user_id", "agent_id", "run_id", "app_id")
_PLUGIN = {"id", "created_at"}


def recognises(value: object) -> bool:
    """Whether `value` is one memory, or an envelope of some."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("results"), list):
        return any(_is_memory(each) for each in value["results"])
    return _is_memory(value)


def recognises_markdown(text: str) -> bool:
    """Whether a file's beginning is a block of the plugin's file."""
    found = front_matter.parse(text)
    return (
        found is not None
        and found.fields.keys() >= _PLUGIN
        and bool({"confidence", "categories"} & found.fields.keys())
    )


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> Iterator[Entry]:
        listed = value.get("results") if isinstance(value, Mapping) else None
        if not isinstance(listed, list):
            yield _entry(value)
            return
        for place, memory in enumerate(listed, 1):
            try:
                yield _entry(memory)
            except InvalidInput as error:
                yield BrokenLine(number, f"memory {place}: {error}")
        relations = value.get("relations")
        for place, relation in enumerate(relations if isinstance(relations, list) else [], 1):
            try:
                yield _relation(relation)
            except InvalidInput as error:
                yield BrokenLine(number, f"relation {place}: {error}")


def read_markdown(path: Path) -> Iterator[Entry]:
    """The memories of the plugin's file: blocks of front matter, each followed by its text."""
    for number, (fields, text) in enumerate(front_matter.blocks(front_matter.text_of(path)), 1):
        try:
            yield _entry({**fields, "memory": text, "metadata": {k: v for k, v in fields.items() if k not in _PLUGIN}})
        except InvalidInput as error:
            yield BrokenLine(number, f"block {number}: {error}")


def _is_memory(value: object) -> bool:
    if not isinstance(value, Mapping) or "role" in value:
        return False
    if isinstance(value.get("memory"), str):
        return True
    return any(name in value for name in _OWNERS) and any(isinstance(value.get(n), str) for n in _TEXTS)


def _relation(value: object) -> Entry:
    """A fact of Mem0's graph."""
    parts = [
        next((value[n].strip() for n in names if isinstance(value.get(n), str) and value[n].strip()), "")
        for names in (("source",), ("relationship", "relation"), ("target", "destination"))
        if isinstance(value, Mapping)
    ]
    if len(parts) < 3 or not all(parts):
        return LeftOut("relations without both ends")
    subject, relation, object = map(checked_text, parts)
    return ImportedFact(subject, relation.replace("_", " "), object, source=SOURCE, trust=trust_of(ROLE))


def _entry(value: object) -> Entry:
    if not isinstance(value, Mapping):
        raise InvalidInput("it is not an object")
    given_text = [value[n] for n in _TEXTS if n in value]
    text = next((each for each in given_text if isinstance(each, str)), None)
    if text is None and not any(each is None for each in given_text):
        raise InvalidInput("it has no memory, text or content")
    if text is None or not text.strip():
        return LeftOut("no words")
    given = value.get("metadata")
    about: dict[str, Any] = {name: value[name] for name in _OWNERS if isinstance(value.get(name), str)}
    if isinstance(value.get("categories"), list) and value["categories"]:
        about["categories"] = value["categories"]
    about |= given if isinstance(given, Mapping) else {}
    session = value["run_id"] if isinstance(value.get("run_id"), str) and value["run_id"] else None
    id = value.get("id")
    return ImportedTurn(
        checked_text(text.strip()),
        ROLE,
        session=session,
        at=moment_or_none(value.get("created_at")) or moment_or_none(value.get("updated_at")),
        source=SOURCE,
        trust=trust_of(ROLE),
        metadata=about,
        key=str(id) if isinstance(id, (str, int)) and id != "" else None,
    )
