"""Files, zips and folders into turns: chats, memories of other systems, agents' logs and notes.

`read` yields what is in a path; `HybridMemory.add_from` stores it, so that the same import twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hybridmem.core.errors import EmptyText, InvalidInput, UnknownFormat
from hybridmem.core.roles import trust_of
from hybridmem.core.text.tokens import normalised
from hybridmem.importers import aider, archive, csv_rows, jsonl, locomo, markdown, openai, text, whatsapp
from hybridmem.importers.base import (
    BrokenLine,
    Entry,
    ImportedFact,
    ImportedTurn,
    ImportReport,
    IntactTurns,
    LeftOut,
    checked_file,
)
from hybridmem.importers.dating import HERE, ChatClock, Dates, file_time, in_zone, zone_of
from hybridmem.importers.detect import JSON_FORMATS, detect, shape_of
from hybridmem.importers.folder import readable_files
from hybridmem.importers.identity import Keys, file_name
from hybridmem.importers.message import PARTICIPANT
from hybridmem.importers.reader import JsonFormat

__all__ = [
    "FORMATS",
    "BrokenLine",
    "Entry",
    "ImportReport",
    "ImportedFact",
    "ImportedTurn",
    "IntactTurns",
    "LeftOut",
    "detect",
    "read",
    "read_file",
]


def _read_json(format: JsonFormat, path: Path) -> Iterator[Entry]:
    return format.read(path, shape_of(path))


FORMATS: Mapping[str, Callable[[Path], Iterator[Entry]]] = {
    "text": text.read,
    "jsonl": jsonl.read,
    "openai": openai.read,
    "locomo": locomo.read,
    **{each.name: partial(_read_json, each) for each in JSON_FORMATS},
    "whatsapp": whatsapp.read,
    "aider": aider.read,
    "markdown": markdown.read,
    "csv": csv_rows.read,
}


def read(
    path: str | Path,
    format: str = "auto",
    *,
    me: Sequence[str] = (),
    day_first: bool | None = None,
    timezone: str | None = None,
) -> Iterator[Entry]:
    """What is in the file, zip or folder at `path`, in order: turns and facts, a `BrokenLine` in place of what could
    not be read, and a `LeftOut` in place of what was left out on purpose.

    Every turn has a key, which is the same at every import, and a time: where the file does not say it, that of its
    neighbour, its conversation or the file, and its metadata's `dated_by` says which. `me`: the user's names in chats
    of people; what the others say is not the user's word. `day_first`: how a chat's dates are written, where it leaves
    that open. `timezone`: where the clock stood whose times the file has without a zone, as ``Europe/Lisbon``; None for
    UTC, and for this machine's where the format is Aider's or a chat of WhatsApp or Telegram.

    The path and the format are checked at once. Raises `InvalidInput` for a file that cannot be read,
    `UnknownFormat`, and `InvalidEncoding` for a text that is not UTF-8. Texts, JSON lines and lists are streamed."""
    if format != "auto" and format not in FORMATS:
        raise UnknownFormat(f"no format {format!r}: choose one of auto, {', '.join(FORMATS)}")
    path = Path(path)
    clock = ChatClock(day_first, zone_of(timezone))
    if path.is_dir():
        return claimed(_folder(path, format, clock, str(path.resolve())), me)
    file = checked_file(path)
    if archive.is_zip(file):
        return claimed(_zip(file, format, clock), me)
    return claimed(read_file(file, format, clock), me)


def read_file(
    path: Path,
    format: str = "auto",
    clock: ChatClock = HERE,
    *,
    root: Path | None = None,
    place: str | None = None,
    chat: str | None = None,
) -> Iterator[Entry]:
    """The entries of one file, keyed and dated. `root` and `place`: the folder that it lies in, and what that is called
    in the keys of notes. `chat`: what a chat is called that has no name of its own, where that is not `place`."""
    name = detect(path) if format == "auto" else format
    entries: Iterator[Entry]
    if name == "whatsapp":
        entries = whatsapp.read(path, day_first=clock.day_first, place=chat or place)
    elif name == "aider":
        entries = aider.read(path, project=Path(place).name if place and path.parent == root else None)
    elif name == "markdown":
        entries = markdown.read(path, root=root, place=place)
    else:
        entries = FORMATS[name](path)
    return in_zone(Dates(file_time(path)).dated(Keys().keyed(entries)), name, clock.zone)


def _folder(folder: Path, format: str, clock: ChatClock, place: str, inner: Sequence[Path] = ()) -> Iterator[Entry]:
    """The entries of every readable file; a file that cannot be read costs itself alone. `inner`: folders that were
    zips of their own, after which a chat in them is called."""
    found = False
    for path in readable_files(folder):
        if path is None:
            yield LeftOut("files of other kinds")
            continue
        found = True
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == archive.ZIP or archive.is_zip(path):
            yield from _inner_zip(path, name, format, clock)
            continue
        try:
            chat = next((str(parent) for parent in path.parents if parent in inner), None)
            for entry in read_file(path, format, clock, root=folder, place=place, chat=chat):
                yield replace(entry, file=name) if isinstance(entry, BrokenLine) else entry
        except UnknownFormat:
            yield LeftOut("files of other kinds")
        except EmptyText:
            yield LeftOut("files that hold nothing")
        except (InvalidInput, OSError) as error:
            yield BrokenLine(0, str(error).replace(str(path), name), name)
    if not found:
        yield BrokenLine(0, "there is no text, Markdown or JSON file in it")


def _inner_zip(path: Path, name: str, format: str, clock: ChatClock) -> Iterator[Entry]:
    """The entries of a zip that lies in a folder; one that is refused costs itself alone."""
    try:
        if not archive.is_zip(path):
            raise InvalidInput(f"{path} is no zip that can be read: download or copy it again")
        for entry in _zip(path, format, clock):
            inner = name + (f"/{entry.file}" if entry.file else "") if isinstance(entry, BrokenLine) else ""
            yield replace(entry, file=inner) if isinstance(entry, BrokenLine) else entry
    except InvalidInput as error:
        yield BrokenLine(0, str(error).replace(str(path), name), name)


def _zip(path: Path, format: str, clock: ChatClock) -> Iterator[Entry]:
    with archive.unpacked(path) as unpacked:
        yield from unpacked.broken
        yield from _folder(unpacked.folder, format, clock, file_name(path.stem), unpacked.inner)


def claimed(entries: Iterable[Entry], me: Sequence[str]) -> Iterator[Entry]:
    """`entries`, where what a participant of the user's names says is the user's."""
    names = {normalised(name) for name in ([me] if isinstance(me, str) else me)}
    for entry in entries:
        mine = isinstance(entry, ImportedTurn) and entry.role == PARTICIPANT
        if isinstance(entry, ImportedTurn) and mine and normalised(entry.speaker or "") in names:
            entry = replace(entry, role="user", trust=trust_of("user"))
        yield entry
