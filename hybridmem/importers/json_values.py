"""The values of a JSON file one after the other, whether they are lines, the items of one list, several values of many
lines each, or a single object.

A list is read as a stream, an item at a time: exports of many years do not have to fit into memory, and an item that is
broken costs itself alone.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.base import BrokenLine, document, lines, no_constant, parse_json, too_long
from hybridmem.importers.encoding import opened

MAX_ITEM = 64 * 2**20
"""Characters of the longest item of a list that is read."""

HEAD = 20
"""Lines by which it is told whether they are JSON each."""
CHUNK = 256 * 2**10
_SPACE = re.compile(r"[\s,\ufeff]*")
LONGEST_KEY = 256
_FIRST_KEY = re.compile(r'\{\s*"((?:[^"\\]|\\.){0,200})"\s*:')

Shape = Literal["lines", "list", "several", "object"]


@dataclass(frozen=True, slots=True)
class JsonValue:
    """One value of a file."""

    number: int
    """Its line, or its place in the list, counted from 1."""
    value: Any


def values(path: Path, shape: Shape, recognises: Callable[[object], bool]) -> Iterator[JsonValue | BrokenLine]:
    """The values of the file in order, with a `BrokenLine` in place of each that could not be read.

    `recognises`: whether a value is one of the file's format; it tells where a list goes on behind a broken item.
    Raises `InvalidInput` for an object that cannot be read."""
    if shape == "lines":
        for number, raw in lines(path):
            if (value := line_value(number, raw)) is not None:
                yield value
    elif shape in ("list", "several"):
        with opened(path) as stream:
            yield from list_items(stream, recognises)
    else:
        yield JsonValue(1, document(path))


def is_several(path: Path) -> bool:
    """Whether the file is made up of several JSON objects of many lines each, as tools that indent JSON write them."""
    for number, raw in islice(lines(path), HEAD):
        value = line_value(number, raw)
        if raw is None or (isinstance(value, JsonValue) and isinstance(value.value, dict)):
            return False  # a line that is an object by itself
    found = list(islice(values(path, "several", lambda value: isinstance(value, dict)), 2))
    return len(found) == 2 and all(isinstance(each, JsonValue) and isinstance(each.value, dict) for each in found)


def line_value(number: int, raw: bytes | None) -> JsonValue | BrokenLine | None:
    """The value of one line; None for an empty one."""
    if raw is None:
        return too_long(number)
    if not raw.strip():
        return None
    try:
        return JsonValue(number, parse_json(raw.decode("utf-8")))
    except UnicodeDecodeError as error:
        return BrokenLine(number, f"it is not valid UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return BrokenLine(number, f"it is not valid JSON at character {error.pos + 1}: {error.msg}")
    except (ValueError, RecursionError) as error:
        return BrokenLine(number, str(error))


def list_items(stream: BinaryIO, recognises: Callable[[object], bool]) -> Iterator[JsonValue | BrokenLine]:
    """The items of the list that is the whole of `stream`, or the values of which it is made up without one.

    Behind an item that is broken, the list goes on at the next object that begins with the key of an earlier item (any
    object, where none came before) and that `recognises`."""
    text = _Window(stream)
    text.skip_space()
    listed = text.peek() == "["
    text.position += listed
    keys: set[str] = set()
    number = 0
    while (character := text.skip_space()) not in ("", "]"):
        number += 1
        item = _item(text)
        if not isinstance(item, str):
            if key := _FIRST_KEY.match(text.text, text.start):
                keys.add(key[1])
            yield JsonValue(number, item.value)
            continue
        yield BrokenLine(number, f"item {number}: {item}")
        if not _seek(text, keys, recognises):
            return
    if listed and not character:
        yield BrokenLine(number + 1, "the list ends in the middle: the file is cut, and what came before was read")


def _item(text: _Window) -> JsonValue | str:
    """The item at the window's place, which moves behind it; the reason, and the place stays, where it is broken."""
    text.start = text.position
    while True:
        try:
            value, end = _DECODER.raw_decode(text.text, text.position)
        except json.JSONDecodeError as error:
            if _may_go_on(error, text) and text.grow():
                continue
            return f"it is not valid JSON: {error.msg}"
        except (ValueError, RecursionError) as error:
            return str(error)
        if end == len(text.text) and text.grow():
            continue  # a number could have further digits
        text.position = end
        if not text.text.isascii() and _undecodable(text.text[text.start : end]):
            return "it is not valid UTF-8"
        return JsonValue(0, value)


def _seek(text: _Window, keys: set[str], recognises: Callable[[object], bool]) -> bool:
    """Move the window to the next item behind a broken one; returns whether there is one."""
    start = max(text.position, text.start + 1)
    while True:
        start = text.text.find("{", start)
        if start < 0:
            text.clear()
            start = 0
            if not text.grow():
                return False
            continue
        text.start = text.position = start
        if start + LONGEST_KEY > len(text.text):
            text.grow()
        key = _FIRST_KEY.match(text.text, start)
        if keys and (key is None or key[1] not in keys):
            start += 1
            continue
        item = _item(text)
        if isinstance(item, str):
            start += 1
        elif recognises(item.value):
            text.position = start
            return True
        else:
            start = text.position


class _Window:
    """The part of a stream that is being parsed, as text; bytes that are no UTF-8 are kept as surrogates."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._ended = False
        self.text = ""
        self.position = 0
        self.start = 0
        """Where the item that is being parsed begins: what lies before it is let go."""

    def grow(self) -> bool:
        """Read on; False at the end of the stream, and where the item is longer than `MAX_ITEM`."""
        if self._ended or len(self.text) - self.start > MAX_ITEM:
            return False
        # as much again: an item is parsed anew after each reading, and that must not cost the square of its length
        chunk = self._stream.read(max(CHUNK, len(self.text) - self.start))
        self._ended = not chunk
        self.text += self._decoder.decode(chunk, final=self._ended)
        return not self._ended

    def skip_space(self) -> str:
        """Move to the next item; returns its first character, "" at the end of the stream."""
        self._let_go()
        while True:
            found = _SPACE.match(self.text, self.position)
            self.position = self.start = found.end() if found else self.position
            if self.position < len(self.text) or not self.grow():
                return self.peek()

    def clear(self) -> None:
        """Let go of all that was read."""
        self.text = ""
        self.position = self.start = 0

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _let_go(self) -> None:
        if self.position > CHUNK:
            self.text = self.text[self.position :]
            self.position = self.start = 0


_DECODER = json.JSONDecoder(strict=False, parse_constant=no_constant)
"""Takes line ends within a text, which some exporters leave as they are."""


def _may_go_on(error: json.JSONDecodeError, text: _Window) -> bool:
    """Whether the item could be whole if more of the stream were read."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.text) - 16


def _undecodable(segment: str) -> bool:
    """Whether bytes of `segment`, as it stands in the file, were no UTF-8."""
    try:
        segment.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def first_values(path: Path, shape: Shape, limit: int) -> list[Any]:
    """Up to `limit` of the file's first values, for the detection of its format; [] where nothing can be read."""
    found: list[Any] = []
    try:
        for number, entry in enumerate(values(path, shape, lambda value: isinstance(value, dict))):
            if isinstance(entry, JsonValue):
                found.append(entry.value)
            if len(found) == limit or number >= 4 * limit:
                break
    except InvalidInput:
        return found
    return found
