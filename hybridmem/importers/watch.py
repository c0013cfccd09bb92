"""A file or folder that grows, looked at again and again: agents' sessions flow in by themselves.

Files of JSON lines are read on from where the last look ended, whole lines only; a last line that is half written
waits. A file that was rotated (renamed away, or cut and begun anew) is read to its end and from its beginning. Any
other file is read again when it has changed and then stood still for a look. Keys are the same at every reading, so
that a restart doubles nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from hybridmem.core.errors import EmptyText, InvalidInput, UnknownFormat
from hybridmem.importers import FORMATS, archive, claimed, jsonl, read_file
from hybridmem.importers.base import MAX_LINE, BrokenLine, Entry, LeftOut, checked_file, lines, too_long
from hybridmem.importers.dating import ChatClock, Dates, file_time, in_zone, zone_of
from hybridmem.importers.detect import detect, json_format
from hybridmem.importers.encoding import is_transcoded
from hybridmem.importers.folder import readable_files
from hybridmem.importers.identity import Keys
from hybridmem.importers.json_values import JsonValue, line_value
from hybridmem.importers.reader import Reader, entries_of

FIRST_LINES = 5
"""Lines from which a file of JSON lines is told."""
MARK = 64
"""Bytes before the place of reading that tell whether the file is still the same."""

Signature = tuple[int, int, int]
"""Inode, size and time of the last change of a file."""
_UNSEEN: Signature = (0, -1, 0)


@dataclass(slots=True)
class _Lines:
    """A file of JSON lines that is followed."""

    format: str
    reader: Reader
    keys: Keys
    dates: Dates
    zone: tzinfo | None
    offset: int = 0
    number: int = 0
    mark: bytes = b""


@dataclass(slots=True)
class _File:
    """What is known of one file."""

    seen: Signature
    settled: Signature | None = None
    """The state in which it was read last."""
    lines: _Lines | None = None
    complaints: set[BrokenLine] = field(default_factory=set)
    """What was reported of it: once is enough."""


class Watcher:
    """Follows a file or folder."""

    def __init__(
        self,
        path: str | Path,
        format: str = "auto",
        *,
        me: Sequence[str] = (),
        day_first: bool | None = None,
        timezone: str | None = None,
    ) -> None:
        """The options are those of `read`. Raises `InvalidInput` for a path that is not there, and for a zip, which
        does not grow, and `UnknownFormat`."""
        if format != "auto" and format not in FORMATS:
            raise UnknownFormat(f"no format {format!r}: choose one of auto, {', '.join(FORMATS)}")
        self._path = Path(path)
        if not self._path.is_dir() and archive.is_zip(checked_file(self._path)):
            raise InvalidInput(f"{path} is a zip, which does not grow: import it without --watch")
        self._format = format
        self._me = me
        self._clock = ChatClock(day_first, zone_of(timezone))
        self._files: dict[Path, _File] = {}
        self._looks = 0

    def poll(self) -> Iterator[Entry]:
        """What is new since the last call; at the first, all that is there."""
        self._looks += 1
        folder = self._path.is_dir()
        for path in readable_files(self._path) if folder else [self._path]:
            if path is None:
                continue
            name = path.relative_to(self._path).as_posix() if folder else ""
            for entry in claimed(self._look(path), self._me):
                yield replace(entry, file=name) if isinstance(entry, BrokenLine) else entry

    def _look(self, path: Path) -> Iterator[Entry]:
        try:
            seen = _signature(path)
        except OSError:
            return  # it went away between the listing and now
        known = self._files.setdefault(path, _File(_UNSEEN))
        stands, known.seen = known.seen == seen, seen
        if known.settled == seen:
            return
        try:
            entries = self._lines(path, known, stands) if self._grows(path, known) else self._whole(path, known, stands)
            for entry in entries:
                if not isinstance(entry, BrokenLine):
                    yield entry
                elif entry not in known.complaints:
                    known.complaints.add(entry)
                    yield entry
        except OSError:
            return  # it is being replaced: the next look finds it

    def _grows(self, path: Path, known: _File) -> bool:
        """Whether the file is one of JSON lines; its format is settled once a line of it is whole."""
        if known.lines is not None:
            return True
        if is_transcoded(path) or not _begins_with_an_object(path):
            return False
        try:
            name = detect(path) if self._format == "auto" else self._format
        except InvalidInput:
            return False
        format = json_format(name)
        if name != "jsonl" and format is None:
            return False
        reader = format.reader(path) if format is not None else jsonl.Reader(path)
        known.lines = _Lines(name, reader, Keys(), Dates(file_time(path)), self._clock.zone)
        return True

    def _lines(self, path: Path, known: _File, stands: bool) -> Iterator[Entry]:
        followed = known.lines
        assert followed is not None  # noqa: S101  that is what `_grows` says
        inode, size, _ = known.seen
        before = known.settled
        if before is not None and inode != before[0]:
            if (moved := _renamed(path, before[0])) is not None:
                yield from _read_on(moved, followed, to_the_end=True)
            followed = self._anew(path, known)
        elif size < followed.offset or not _is_same(path, followed):
            followed = self._anew(path, known)
        if followed is None:
            return
        yield from _read_on(path, followed, to_the_end=stands)
        whole = followed.offset >= size
        if followed.format == "jsonl" and self._format == "auto" and _now(path) not in ("jsonl", None):
            # the first lines did not tell whose log it is
            self._anew(path, known)
            return
        # what is half written is looked at again, even if nothing has changed
        known.settled = known.seen if whole or stands else (inode, -1, 0)

    def _anew(self, path: Path, known: _File) -> _Lines | None:
        known.lines, known.settled = None, None
        return known.lines if self._grows(path, known) else None

    def _whole(self, path: Path, known: _File, stands: bool) -> Iterator[Entry]:
        if not stands and self._looks > 1:
            return  # it may be half written
        known.settled = known.seen
        if archive.is_zip(path):
            yield LeftOut("zips, which do not grow: import them without --watch")
            return
        root = self._path if self._path.is_dir() else None
        place = str(root.resolve()) if root is not None else None
        try:
            yield from read_file(path, self._format, self._clock, root=root, place=place)
        except EmptyText:
            return
        except UnknownFormat:
            yield LeftOut("files of other kinds")
        except InvalidInput as error:
            yield BrokenLine(0, str(error))


def _read_on(path: Path, followed: _Lines, *, to_the_end: bool) -> Iterator[Entry]:
    """The entries of the whole lines behind the place of reading, which moves on. With `to_the_end`, a last line
    without its end is read too, if it is whole."""
    with path.open("rb") as stream:
        stream.seek(followed.offset)
        while raw := stream.readline(MAX_LINE):
            value: JsonValue | BrokenLine | None
            if raw.endswith(b"\n"):
                value = line_value(followed.number + 1, raw.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf"))
            elif len(raw) == MAX_LINE:
                if not _skip_line(stream):
                    return
                value = too_long(followed.number + 1)
            else:
                value = line_value(followed.number + 1, raw)
                if not to_the_end or not isinstance(value, JsonValue):
                    return
            followed.number += 1
            followed.offset = stream.tell()
            followed.mark = (followed.mark + raw)[-MARK:] if len(raw) < MAX_LINE else b""
            if value is not None:
                read = followed.dates.dated(followed.keys.keyed(entries_of(followed.reader, value)))
                yield from in_zone(read, followed.format, followed.zone)


def _skip_line(stream: BinaryIO) -> bool:
    """Move behind the end of a line that is too long; False where it has none yet."""
    while rest := stream.readline(MAX_LINE):
        if rest.endswith(b"\n"):
            return True
    return False


def _begins_with_an_object(path: Path) -> bool:
    """Whether a line among the first is whole, and a JSON object."""
    for number, raw in islice(lines(path), FIRST_LINES):
        value = line_value(number, raw)
        if isinstance(value, JsonValue) and isinstance(value.value, dict):
            with path.open("rb") as stream:
                return b"\n" in stream.read(MAX_LINE)
    return False


def _is_same(path: Path, followed: _Lines) -> bool:
    """Whether what lies before the place of reading is what was read."""
    with path.open("rb") as stream:
        stream.seek(followed.offset - len(followed.mark))
        return stream.read(len(followed.mark)) == followed.mark


def _renamed(path: Path, inode: int) -> Path | None:
    """The file beside `path` that has the inode."""
    for other in path.parent.iterdir():
        try:
            if other.is_file() and other.stat().st_ino == inode:
                return other
        except OSError:
            continue
    return None


def _now(path: Path) -> str | None:
    try:
        return detect(path)
    except InvalidInput:
        return None


def _signature(path: Path) -> Signature:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
