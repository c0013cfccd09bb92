"""What every importer yields, and how files are read line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.core.records import Trust

MAX_LINE = 16 * 2**20
"""The longest line that is read, in bytes: a file without line ends must not fill the memory."""

MAX_DOCUMENT = 512 * 2**20
"""The largest JSON document that is parsed whole, in bytes. JSON lines and plain text have no such bound."""


@dataclass(frozen=True, slots=True)
class ImportedTurn:
    """One thing that was said, as a file tells it: what an episode is made from."""

    text: str
    role: str = "user"
    speaker: str | None = None
    session: str | None = None
    at: datetime | None = None
    """When it was said; None where the file does not say."""
    source: str = "import"
    trust: Trust = "user"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What else the file says of it; LoCoMo's turns carry their `dia_id` here."""


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line (or, in a JSON document, a message) that could not be taken in; the rest of the file was."""

    number: int
    """Counted from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file."""

    imported: int
    broken: tuple[BrokenLine, ...] = ()


def checked_file(path: Path) -> Path:
    """`path`, when it is a file that can be opened for reading. Raises `InvalidInput`."""
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
    """The report on a line that `lines` refused."""
    return BrokenLine(number, f"the line is longer than {MAX_LINE:,} bytes")


def document(path: Path) -> Any:
    """The value of a JSON document, read whole. Raises `InvalidInput`."""
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
