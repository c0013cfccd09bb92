"""Aider's histories: ``.aider.chat.history.md``, what was said, and ``.aider.input.history``, what the user typed.

In the chat, Aider writes ``#### `` before each line of the user's and ``> `` before each of its own, and ends both with
two spaces, by which they are told from a model's headings and quotations. What stands between is the model's. Editors
that strip spaces at line ends take these marks away; then ``#### `` and ``> `` alone decide.

The input history is what prompt_toolkit's programs write: a time, and ``+`` before each line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import MAX_TEXT, checked_text
from hybridmem.core.roles import trust_of
from hybridmem.core.text.injected import without_injected
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut, lines, too_long
from hybridmem.importers.identity import DATED_BY
from hybridmem.importers.times import moment_or_none

SOURCE = "aider"
CHAT = ".aider.chat.history.md"
INPUTS = ".aider.input.history"
SAMPLE = 400
"""Lines from which the format is recognised."""

_BEGINS = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*")
_MARK = re.compile(r"(####|>)(?:\s|\Z)")
_TYPED_AT = re.compile(r"# (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\s*")
_WORDS_BEHIND = re.compile(r"/(?:ask|code|architect|context)\s+(?=\S)")
"""Commands that change who answers, with the user's words behind them."""
_COMMAND = re.compile(r"/[a-z][a-z-]*(?=\s|\Z)|!")
_BY_PROGRAM = re.compile(
    r"# Fix any errors below, if possible\.|I ran this command:\n|I ran and got this output:\n|.*\(Y\)es/\(N\)o"
)
"""Messages that Aider writes in the user's place."""

Kind = Literal["user", "program", "model"]


def is_history(path: Path) -> bool:
    """Whether a file has the name of one of Aider's histories, which are hidden files."""
    return path.name in (CHAT, INPUTS)


def recognises(path: Path) -> bool:
    """Whether a session begins among the first lines, or they are inputs with their times."""
    first = [_text(raw) for _, raw in islice(lines(path), SAMPLE) if raw is not None]
    return any(map(_BEGINS.fullmatch, first)) or _is_inputs(first)


def read(path: Path, *, project: str | None = None) -> Iterator[Entry]:
    """What the user and the model said. Aider's own lines, commands and what they print are left out, and of the inputs
    those that the chat beside them has.

    `project`: what the folder is called in which Aider ran, where that is not the file's."""
    about = {"project": project or path.resolve().parent.name}
    if _is_inputs([_text(raw) for _, raw in islice(lines(path), SAMPLE) if raw is not None]):
        return _inputs(path, about)
    return _Chat(path, about).entries()


@dataclass(slots=True)
class _Chat:
    """One pass over a chat's lines."""

    path: Path
    about: dict[str, str]
    started: str | None = None
    answers: bool = False
    """Whether the model is the next to speak: not before the user's first words, and not after a command."""
    kind: Kind = "program"
    number: int = 0
    """Of the line with which `block` begins."""
    block: list[str] = field(default_factory=list)
    size: int = 0

    def entries(self) -> Iterator[Entry]:
        marked = self._is_marked()
        blank = True
        for number, raw in lines(self.path):
            if raw is None:
                yield from self._end("program", number)
                yield too_long(number)
                continue
            line = _text(raw)
            if (begun := _BEGINS.fullmatch(line)) is not None:
                yield from self._end("program", number)
                self.started, self.answers = begun[1], False
                continue
            kind = _kind(line, marked)
            if kind == "model" and self.kind == "program" and not blank:
                kind = "program"  # the rest of what Aider printed: the model's words have a blank line before them
            blank = not line.strip()
            if blank and self.kind == "program":
                continue
            if kind != self.kind or self.size + len(line) > MAX_TEXT:
                yield from self._end(kind, number)
            self.block.append(line.removeprefix("####").removeprefix(" ").rstrip() if kind == "user" else line)
            self.size += len(line) + 1
        yield from self._end("program", self.number)

    def _is_marked(self) -> bool:
        """Whether Aider's two spaces are still at the ends of its lines."""
        return any(
            raw.endswith(b"  ") for _, raw in lines(self.path) if raw is not None and raw.startswith((b"#### ", b"> "))
        )

    def _end(self, following: Kind, number: int) -> Iterator[Entry]:
        """The entry of what was read so far; what comes begins at the line `number`."""
        text, kind, start = "\n".join(self.block).strip(), self.kind, self.number
        self.kind, self.number, self.block, self.size = following, number, [], 0
        if not text:
            return
        if kind == "program" or (kind == "model" and not self.answers):
            yield LeftOut("notices")
        elif kind == "model":
            yield _turn(start, text, "assistant", self.started, None, self.about)
        else:
            said = _said(text)
            self.answers = isinstance(said, str) or said.reason == "injected text"
            yield _turn(start, said, "user", self.started, None, self.about) if isinstance(said, str) else said


def _kind(line: str, marked: bool) -> Kind:
    if (found := _MARK.match(line)) is None or (marked and not line.endswith("  ")):
        return "model"
    return "user" if found[1] == "####" else "program"


def _inputs(path: Path, about: dict[str, str]) -> Iterator[Entry]:
    beside = path.parent / CHAT
    told = _told(beside) if beside != path and beside.is_file() else frozenset()
    at: str | None = None
    number, block = 0, list[str]()
    for line_number, raw in lines(path):
        line = _text(raw) if raw is not None else ""
        if raw is not None and line.startswith("+"):
            block.append(line[1:])
            continue
        if block:
            yield _input(number, block, at, about, told)
            block = []
        if raw is None:
            yield too_long(line_number)
        elif (typed := _TYPED_AT.fullmatch(line)) is not None:
            at, number = typed[1], line_number
        elif line.strip():
            yield BrokenLine(line_number, "it is no input: expected a time after #, or words after +")
    if block:
        yield _input(number, block, at, about, told)


def _input(number: int, block: list[str], at: str | None, about: dict[str, str], told: frozenset[str]) -> Entry:
    said = _said("\n".join(line.rstrip() for line in block).strip())
    if not isinstance(said, str):
        return said
    if said in told:
        return LeftOut("the second form of a message")
    return _turn(number, said, "user", None, moment_or_none(at), about)


def _told(chat: Path) -> frozenset[str]:
    """What the user says in a chat."""
    turns = _Chat(chat, {}).entries()
    return frozenset(each.text for each in turns if isinstance(each, ImportedTurn) and each.role == "user")


def _said(text: str) -> str | LeftOut:
    """The user's words in an input."""
    if text == "<blank>" or not text:
        return LeftOut("no words")
    if _BY_PROGRAM.match(text):
        return LeftOut("injected text")
    text = without_injected(_WORDS_BEHIND.sub("", text, count=1))
    if _COMMAND.match(text):
        return LeftOut("commands")
    return text or LeftOut("no words")


def _turn(
    number: int, text: str, role: str, started: str | None, at: datetime | None, about: dict[str, str]
) -> ImportedTurn | BrokenLine:
    metadata = dict(about)
    if started is not None:
        at = moment_or_none(started)
        metadata[DATED_BY] = "conversation"
    try:
        text = checked_text(text)
    except InvalidInput as error:
        return BrokenLine(number, str(error))
    return ImportedTurn(text, role, None, started or SOURCE, at, SOURCE, trust_of(role), metadata)


def _is_inputs(first: list[str]) -> bool:
    written = [line for line in first if line.strip()]
    return len(written) > 1 and bool(_TYPED_AT.fullmatch(written[0])) and written[1].startswith("+")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")
