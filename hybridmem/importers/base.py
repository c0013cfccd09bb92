"""The values that importers yield, and the reading of files line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.policy import MemoryPolicy
from hybridmem.core.records import Episode, Trust, checked_text
from hybridmem.core.roles import checked_trust, least_trusted, role_of, trust_of
from hybridmem.importers.encoding import opened

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
    key: str | None = field(default=None, compare=False)
    """What tells it from every other turn of its source, in this export and in later ones (`identity`)."""

    def episode(
        self,
        id: str,
        namespace: Namespace,
        now: datetime,
        policy: MemoryPolicy | None = None,
        expires_at: datetime | None = None,
    ) -> Episode:
        """The episode that is made of it at the time `now`, trusted no more than its role is. It expires at
        `expires_at`, else as `policy` says. Raises `InvalidInput` for a text that cannot be one."""
        role = role_of(self.role)
        trust = least_trusted(checked_trust(self.trust), trust_of(role))
        return Episode(
            id=id,
            namespace=namespace,
            text=checked_text(self.text),
            role=role,
            speaker=_name_or_none(self.speaker),
            session=_name_or_none(self.session),
            at=(self.at or now).astimezone(UTC),
            recorded_at=now,
            source=self.source,
            trust=trust,
            metadata=dict(self.metadata),
            expires_at=expires_at if expires_at is not None else (policy or MemoryPolicy()).expiry(trust, now),
        )


def _name_or_none(name: str | None) -> str | None:
    """None for a name without a visible character: it names nobody, and turns are neighbours within a session."""
    return name if name is not None and name.strip() else None


@dataclass(frozen=True, slots=True)
class ImportedFact:
    """A statement of another memory's graph, from which a fact is made."""

    subject: str
    relation: str
    object: str
    text: str | None = None
    """The statement as a sentence; None for its three parts in a row."""
    valid_from: datetime | None = None
    source: str = "import"
    trust: Trust = "agent"


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line, or an item of a JSON document, that could not be read; the rest of the file was."""

    number: int
    """Counted from 1; 0 for a file that could not be read at all."""
    reason: str
    file: str = ""
    """The file's path in the folder or zip that is imported; "" where one file is."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was read and left out on purpose: hidden messages, tool calls, notices, media."""

    reason: str
    """One of few, so that a report can count them."""


Entry: TypeAlias = ImportedTurn | ImportedFact | BrokenLine | LeftOut
"""What an importer yields, in the order of the file."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import: what was stored, what was there already, and what was left out and why."""

    added: tuple[str, ...]
    """Ids of the episodes, in the order of the file."""
    broken: tuple[BrokenLine, ...] = ()
    already: int = 0
    """Messages and facts of an earlier import, and copies within this one."""
    updated: tuple[str, ...] = ()
    """Ids of episodes whose message was edited since an earlier import."""
    facts: tuple[str, ...] = ()
    """Ids of the facts that were added."""
    erased: int = 0
    """Messages that were imported before and erased since: they stay away."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many messages were left out on purpose, by reason."""
    notes: tuple[str, ...] = ()
    """What the reader of the report should know or do."""


class IntactTurns:
    """The turns among an importer's `entries`, to be iterated over once; `broken` collects what could not be read on
    the way.

    >>> turns = IntactTurns([ImportedTurn("Ana lives in Porto."), BrokenLine(2, "it is empty")])
    >>> [turn.text for turn in turns], turns.broken
    (['Ana lives in Porto.'], [BrokenLine(number=2, reason='it is empty', file='')])
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self.broken: list[BrokenLine] = []

    def __iter__(self) -> Iterator[ImportedTurn]:
        for entry in self._entries:
            if isinstance(entry, BrokenLine):
                self.broken.append(entry)
            elif isinstance(entry, ImportedTurn):
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

    A byte order mark at the start of the file is left out, and UTF-16 is read as UTF-8."""
    with opened(path) as stream:
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


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises `ValueError` for NaN and Infinity too, which JSON does not have and a memory's
    metadata does not keep."""
    return json.loads(text, parse_constant=no_constant)


def no_constant(name: str) -> Any:
    """What a JSON decoder is to do at NaN and Infinity."""
    raise ValueError(f"{name} is no JSON: write a number or null")


def document(path: Path) -> Any:
    """The value of a whole JSON document. Raises `InvalidInput`."""
    if path.stat().st_size > MAX_DOCUMENT:
        raise InvalidInput(f"{path} is one JSON document above {MAX_DOCUMENT:,} bytes: write it as JSON lines instead")
    try:
        with opened(path) as stream:
            return parse_json(stream.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"{path} is not valid UTF-8 at byte {error.start + 1}: convert it to UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{path} is not valid JSON at line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not a JSON document that can be read: {error}") from None
