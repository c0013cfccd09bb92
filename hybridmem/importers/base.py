"""The values that importers yield, and the reading of files line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.core.records import Trust

MAX_LINE = 16 * 2**20
"""Bytes of the longest line that is read: a file without line ends must not fill the memory."""

MAX_DOCUMENT = 512 * 2**20
"""Bytes of the largest JSON document, which is parsed as a whole. JSON lines and plain text have no such bound."""


@dataclass(frozen=True, slots=True)
class ImportedTurn:
    """One utterance in a file, from which an episode is made."""

    text: str
    role: str = "user"
    speaker: str | None = None
    session: str | None = None
    at: datetime | None = None
    """When it was said; None if the file does not say."""
    source: str = "import"
    trust: Trust = "user"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the file; LoCoMo's turns have their `dia_id` here."""


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line, or a message of a JSON document, that could not be read; the rest of the file was."""

    number: int
    """Counted from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import: what was stored, and what was left out and why."""

    added: tuple[str, ...]
    """Ids of the episodes, in the order of the file."""
    broken: tuple[BrokenLine, ...] = ()
    already: int = 0
    """Turns that were there already."""


class IntactTurns:
    """The turns among an importer's `entries`, to be iterated over once; `intact` counts them, and `broken` collects
    the rest on the way.

    >>> turns = IntactTurns([ImportedTurn("Ana lives in Porto."), BrokenLine(2, "it is empty")])
    >>> [turn.text for turn in turns], turns.broken
    (['Ana lives in Porto.'], [BrokenLine(number=2, reason='it is empty')])
    """

    def __init__(self, entries: Iterable[ImportedTurn | BrokenLine]) -> None:
        self._entries = entries
        self.broken: list[BrokenLine] = []
        self.intact = 0

    def __iter__(self) -> Iterator[ImportedTurn]:
        for entry in self._entries:
            if isinstance(entry, BrokenLine):
                self.broken.append(entry)
            else:
                self.intact += 1
                yield entry


def checked_file(path: Path) -> Path:
    """`path`, if it is a readable file. Raises `InvalidInput`."""
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder: name one file in it")
    try:
        with path.open("rb"):
            return path
    except FileNotFoundError:
        raise InvalidInput(f"no file {path}: check the path") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """(number, bytes without the line end), one line at a time; None in place of a line above `MAX_LINE`.

    A byte order mark at the start of the file is left out."""
    with path.open("rb") as stream:
        number = 0
        while chunk := stream.readline(MAX_LINE):
            number += 1
            if len(chunk) == MAX_LINE and not chunk.endswith(b"\n"):
                while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield number, None
                continue
            if number == 1:
                chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            yield number, chunk.rstrip(b"\r\n")


def too_long(number: int) -> BrokenLine:
    """The report of a line that `lines` refused."""
    return BrokenLine(number, f"the line is longer than {MAX_LINE:,} bytes")


def document(path: Path) -> Any:
    """The value of a whole JSON document. Raises `InvalidInput`."""
    if path.stat().st_size > MAX_DOCUMENT:
        raise InvalidInput(f"{path} is one JSON document above {MAX_DOCUMENT:,} bytes: write it as JSON lines instead")
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"{path} is not valid UTF-8 at byte {error.start + 1}: convert it to UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{path} is not valid JSON at line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not a JSON document that can be read: {error}") from None
