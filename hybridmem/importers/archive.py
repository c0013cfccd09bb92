"""Zips, unpacked where they do no harm, and zips in them.

Refused: paths that climb out of the folder, archives that unpack to far more than they are (zip bombs), and more files
or bytes than an export has, counted over all the zips in it. Members that can hold no words (pictures, sound) stay
packed.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.aider import is_history
from hybridmem.importers.base import BrokenLine

MAX_FILES = 100_000
MAX_BYTES = 8 * 2**30
"""Bytes that the members which are read may unpack to, all together."""
MAX_RATIO = 300
"""How many times its packed size a member above `SMALL` may unpack to: texts reach about 30."""
SMALL = 16 * 2**20
MAX_DEPTH = 3
"""How many zips may lie within one another: an export in parts has two."""

READABLE = {"", ".json", ".jsonl", ".ndjson", ".af", ".md", ".mdc", ".markdown", ".txt", ".csv", ".tsv", ".html"}
"""Suffixes of files that may hold words."""
ZIP = ".zip"

_DRIVE = re.compile(r"[A-Za-z]:")


def is_zip(path: Path) -> bool:
    """Whether the file's content is a zip's."""
    return path.is_file() and zipfile.is_zipfile(path) and _begins_as_zip(path)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was in a zip."""

    folder: Path
    """Holds its readable members, and a folder for each zip among them."""
    inner: tuple[Path, ...]
    """The folders of those zips."""
    broken: tuple[BrokenLine, ...]
    """Members that could not be read."""


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """The zip's readable members in a temporary folder.

    Raises `InvalidInput` for a zip that is refused or cannot be opened."""
    with TemporaryDirectory(prefix="hybridmem-import-") as folder:
        budget = _Budget(MAX_FILES, MAX_BYTES)
        broken = _unpack(path, Path(folder), budget)
        yield Unpacked(Path(folder), tuple(budget.inner), tuple(broken))


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked of one import, whatever zips it is packed in."""

    files: int
    bytes: int
    inner: list[Path] = field(default_factory=list)
    """Folders in which zips were unpacked."""


def _begins_as_zip(path: Path) -> bool:
    # a text may have a zip's end in it by chance or by design
    with path.open("rb") as stream:
        return stream.read(2) == b"PK"


def _unpack(path: Path, folder: Path, budget: _Budget, depth: int = 1) -> list[BrokenLine]:
    broken: list[BrokenLine] = []
    inner: list[zipfile.ZipInfo] = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(path, members, budget)
            for member in members:
                if not _is_unpacked(member):
                    continue
                try:
                    _write(archive, member, folder)
                    inner += [member] if _suffix(member) == ZIP else []
                except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
                    _place(member, folder).unlink(missing_ok=True)
                    reason = "it is encrypted" if isinstance(error, RuntimeError) else f"it cannot be unpacked: {error}"
                    broken.append(BrokenLine(0, reason, member.filename))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{path} is no zip that can be read ({error}): download or copy it again") from None
    for member in inner:
        broken += _unpack_inner(_place(member, folder), member.filename, budget, depth)
    return broken


def _unpack_inner(path: Path, name: str, budget: _Budget, depth: int) -> list[BrokenLine]:
    """Put a zip's members into a folder in its place, called as it is without its suffix; one that is refused costs
    itself alone."""
    folder = _free(path.with_suffix(""))
    try:
        if depth == MAX_DEPTH:
            raise InvalidInput(f"{path} lies {depth} zips deep: unpack it and import it alone")
        if not is_zip(path):
            raise InvalidInput(f"{path} is no zip that can be read: download or copy it again")
        broken = _unpack(path, folder, budget, depth + 1)
        budget.inner.append(folder)
        return [replace(each, file=f"{name}/{each.file}") for each in broken]
    except InvalidInput as error:
        return [BrokenLine(0, str(error).replace(str(path), "it"), name)]
    finally:
        path.unlink()


def _free(folder: Path) -> Path:
    """`folder`, or the like of it where something has that name."""
    number = 1
    free = folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name} ({number})")
    return free


def _is_unpacked(member: zipfile.ZipInfo) -> bool:
    readable = _suffix(member) in READABLE | {ZIP} or is_history(Path(member.filename))
    return readable and not _is_link(member)


def _suffix(member: zipfile.ZipInfo) -> str:
    return Path(member.filename).suffix.lower()


def _check(path: Path, members: list[zipfile.ZipInfo], budget: _Budget) -> None:
    """Raise `InvalidInput` for an archive that is not to be unpacked; take what it unpacks to from `budget`."""
    files = MAX_FILES - budget.files + len(members)
    others = " with the zips around it" if budget.files < MAX_FILES else ""
    if files > MAX_FILES:
        raise InvalidInput(f"{path} holds {files:,} files{others}, above {MAX_FILES:,}: unpack it and name a folder")
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or _DRIVE.match(name) or ".." in PurePosixPath(name).parts or "\x00" in name:
            raise InvalidInput(f"{path} is refused: its member {member.filename!r} would be written outside the folder")
        if member.file_size > SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise InvalidInput(
                f"{path} is refused as a zip bomb: {member.filename!r} unpacks to {member.file_size:,} bytes from "
                f"{member.compress_size:,}"
            )
    total = MAX_BYTES - budget.bytes + sum(member.file_size for member in members if _is_unpacked(member))
    if total > MAX_BYTES:
        raise InvalidInput(
            f"{path} unpacks to {total:,} bytes{others}, above {MAX_BYTES:,}: unpack it and name a folder"
        )
    budget.files, budget.bytes = MAX_FILES - files, MAX_BYTES - total


def _is_link(member: zipfile.ZipInfo) -> bool:
    return (member.external_attr >> 16) & 0o170000 == 0o120000


def _place(member: zipfile.ZipInfo, folder: Path) -> Path:
    return folder / member.filename.replace("\\", "/")


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = _place(member, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed, target.open("wb") as plain:
        _copy(packed, plain, member.file_size)
    try:
        written = datetime(*member.date_time, tzinfo=UTC).timestamp()
        os.utime(target, (written, written))
    except (ValueError, OverflowError, OSError):
        return  # a date that is none: the file keeps the present one


def _copy(packed: IO[bytes], plain: IO[bytes], size: int) -> None:
    """At most as many bytes as the archive's list promised: the sums above were made with that."""
    left = size
    while left and (chunk := packed.read(min(left, 2**20))):
        plain.write(chunk)
        left -= len(chunk)
    packed.read(1)  # at its end, the checksum is compared
