"""What the importers of one format are: something that reads the values of a JSON file one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.base import BrokenLine, Entry
from hybridmem.importers.json_values import JsonValue, Shape, values


class Reader(Protocol):
    """Reads one file. It may keep what earlier values said: the session's name, the last time."""

    def read(self, number: int, value: Any) -> Iterable[Entry]:
        """The entries of one value (line, list item or document), whose place in the file is `number`.

        Raises `InvalidInput` for one that cannot be read: it costs itself alone."""
        ...


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """A format whose values tell what they are: as lines, as the items of a list, or as one object."""

    name: str
    recognises: Callable[[object], bool]
    """Whether a value is one of the format's."""
    reader: Callable[[Path], Reader]
    """Makes the reader of one file."""

    def read(self, path: Path, shape: Shape) -> Iterator[Entry]:
        """The entries of the file in order. Raises `InvalidInput` for a document that cannot be parsed."""
        reader = self.reader(path)
        for value in values(path, shape, self.recognises):
            held = self.held(value.value) if isinstance(value, JsonValue) else None
            for each in [value] if held is None else map(JsonValue, range(1, len(held) + 1), held):
                yield from entries_of(reader, each)

    def held(self, value: object) -> list[Any] | None:
        """The list of the format's values in an object that is none itself: {"conversations": [...]}."""
        if not isinstance(value, Mapping) or self.recognises(value):
            return None
        lists = (each for each in value.values() if isinstance(each, list))
        return next((each for each in lists if any(map(self.recognises, each))), None)


def entries_of(reader: Reader, value: JsonValue | BrokenLine) -> list[Entry]:
    """What `reader` makes of one value: all of it, or a `BrokenLine`."""
    if isinstance(value, BrokenLine):
        return [value]
    try:
        return list(reader.read(value.number, value.value))
    except (InvalidInput, RecursionError) as error:
        return [BrokenLine(value.number, str(error))]
