"""A file before and after a change: shown as a diff, written whole, and taken back to the byte."""

from __future__ import annotations

import difflib
import hashlib
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Splice:
    """A part of the text after a change, and what stood in its place before."""

    at: int
    length: int
    before: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of one file; None for a file that is not there."""

    path: Path
    before: str | None
    after: str | None

    @property
    def is_one(self) -> bool:
        return self.before != self.after

    def diff(self) -> str:
        """The change as ``diff -u`` writes it."""
        lines = difflib.unified_diff(
            _lines(self.before),
            _lines(self.after),
            "/dev/null" if self.before is None else str(self.path),
            "/dev/null" if self.after is None else str(self.path),
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def splices(self) -> list[Splice]:
        """What turns the text after the change into that before it, last part first. It holds nothing of the file
        that the change left alone."""
        before, after = _lines(self.before), _lines(self.after)
        places = [0]
        for line in after:
            places.append(places[-1] + len(line))
        found = []
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                found.append(_trimmed(places[j1], "".join(before[i1:i2]), "".join(after[j1:j2])))
        return found[::-1]

    def write(self) -> list[Path]:
        """Put the file into its new state, whole or not at all; returns the folders that were made for it, innermost
        first. A link is followed, and permissions stay.

        Raises `InvalidInput` where the file is no longer what it was before."""
        path = self.path.resolve()
        if read(path) != self.before:
            raise InvalidInput(f"{self.path} was changed meanwhile: run the same command again")
        if self.after is None:
            path.unlink()
            return []
        made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        unfinished.touch(0o600)
        if self.before is not None:
            shutil.copymode(path, unfinished)
        try:
            unfinished.write_bytes(self.after.encode("utf-8"))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return made


def read(path: Path) -> str | None:
    """The text of the file, to the byte; None where there is none. Raises `InvalidInput` for what is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8: it was left alone") from None


def digest(text: str) -> str:
    """The sha256 of the text's bytes, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def taken_back(text: str, splices: Sequence[Splice]) -> str:
    """The text before the change whose `splices` these are."""
    for each in splices:
        text = text[: each.at] + each.before + text[each.at + each.length :]
    return text


def _trimmed(at: int, before: str, after: str) -> Splice:
    """The splice from `after` to `before`, without what both begin and end with."""
    begin = 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    end = 0
    while end < min(len(before), len(after)) - begin and before[-1 - end] == after[-1 - end]:
        end += 1
    return Splice(at + begin, len(after) - begin - end, before[begin : len(before) - end])


def _lines(text: str | None) -> list[str]:
    """The lines of `text`, cut behind line feeds alone."""
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")
