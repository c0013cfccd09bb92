"""JSON lines: one message or one whole conversation per line. Read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybridmem.importers import message
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut
from hybridmem.importers.identity import file_name
from hybridmem.importers.json_values import is_several, values
from hybridmem.importers.reader import entries_of


class Reader:
    """Lines of no particular program.

    A line is an object with `text` or `content`, and perhaps `role`, `speaker` or `name`, `session`, `at`
    (or `timestamp`, `created_at`, `date`, `ts`), `id`, `metadata` and `trust`; or a conversation as the `openai`
    importer reads it, which is read as a whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._name = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        found = message.conversation(value)
        if found is None:
            return spoken(message.turns(value, source="jsonl", place=self._name))
        messages, session = found
        name = session or f"{self._name}/{number}"
        return [entry for each in messages for entry in spoken(message.turns(each, source="jsonl", session=name))]


def spoken(turns: list[ImportedTurn]) -> list[Entry]:
    """`turns`, or what is left out of a message without words."""
    return [*turns] or [LeftOut("no words")]


def read(path: Path) -> Iterator[Entry]:
    """The turns of each line in order, with a `BrokenLine` for each line that cannot be read."""
    reader = Reader(path)
    for value in values(path, "several" if is_several(path) else "lines", message.is_message):
        yield from entries_of(reader, value)
