"""Plain text: paragraphs or lines, and dialogues written as ``Name: words``. Read as a stream.

A chat with an assistant, in text or Markdown, names the roles: ``User:``, ``**Assistant:**``, ``## ChatGPT``. What
follows is theirs up to the next of these, over blank lines too; what stands before the first is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.core.records import MAX_TEXT, checked_text
from hybridmem.core.roles import is_role, role_of, trust_of
from hybridmem.importers.base import BrokenLine, ImportedTurn, lines, too_long

SAMPLE = 400
"""Lines from which the layout is detected."""

_NAME = r"[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,3}"
_CLOCK = r"(?:\[\d{1,2}:\d{2}(?::\d{2})?\]\s+)?"
_SPEAKER = re.compile(rf"\s*{_CLOCK}(?:\*\*)?({_NAME})(?:\*\*)?:(?:\*\*)?\s+(\S.*)", re.DOTALL)
_ROLE_LINE = re.compile(
    rf"\s*{_CLOCK}(?:#{{1,6}}\s+)?[*_]{{0,3}}({_NAME})(?:[*_]{{0,3}}:[*_]{{0,3}}(?:\s+(\S.*))?|[*_]{{2,3}}\s*)",
    re.DOTALL,
)
_ROLE_HEADING = re.compile(rf"\s*#{{1,6}}\s+[*_]{{0,3}}({_NAME})[*_:]{{0,4}}\s*")
_USERS = {"user", "human", "you", "me"}
_NO_SPEAKERS = {"model", "system", "agent", "tool", "function", "llm", "observation"}
"""Roles that are names of fields more often than of speakers."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text is divided into turns."""

    speakers: bool
    """Whether each ``Name: words`` line begins a turn."""
    paragraphs: bool
    """Whether blank lines separate the turns; otherwise every line is a turn."""
    roles: bool = False
    """Whether the speakers are an assistant and its user."""


def read(path: Path, *, speakers: bool | None = None) -> Iterator[ImportedTurn | BrokenLine]:
    """The turns of a text in order. With `speakers` None, the text itself shows whether it is a dialogue.

    The encoding of the whole file is checked first, so that no file is imported in half: raises `InvalidEncoding` with
    the line and byte. A paragraph that is too long for one memory is cut between lines."""
    _check_encoding(path)
    layout = _layout(path, speakers)
    return _turns(path, layout)


def _check_encoding(path: Path) -> None:
    for number, raw in lines(path):
        if raw is None:
            continue
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidEncoding(
                f"{path} is not valid UTF-8 at line {number}, byte {error.start + 1} of that line "
                f"(0x{raw[error.start]:02x}): convert it, as in iconv -f latin1 -t utf-8"
            ) from None


def _layout(path: Path, speakers: bool | None) -> Layout:
    sample = [(raw or b"").decode("utf-8", "replace").strip() for _, raw in islice(lines(path), SAMPLE)]
    while sample and not sample[-1]:
        sample.pop()
    if speakers is None and _is_chat(sample):
        return Layout(speakers=True, paragraphs=True, roles=True)
    if speakers is None:
        speakers = _is_dialogue([line for line in sample if line])
    return Layout(speakers, paragraphs="" in sample)


def is_chat(path: Path) -> bool:
    """Whether a text names an assistant and its user as its speakers."""
    return _is_chat([(raw or b"").decode("utf-8", "replace").strip() for _, raw in islice(lines(path), SAMPLE)])


def _is_chat(sample: list[str]) -> bool:
    names = [found[0].lower() for line in sample if (found := _role_label(line)) is not None]
    return any(name in _USERS for name in names) and any(name not in _USERS for name in names)


def _role_label(line: str) -> tuple[str, str] | None:
    """(the name of a role, what is said behind it) of a line that begins a turn of a chat with an assistant."""
    found = _ROLE_HEADING.fullmatch(line) or _ROLE_LINE.fullmatch(line)
    name = found[1].strip() if found is not None else ""
    if found is None or name.lower() in _NO_SPEAKERS or not (is_role(name) or name.lower() in _USERS):
        return None
    return name, (found[2] or "" if found.re is _ROLE_LINE else "").strip()


def _is_dialogue(sample: list[str]) -> bool:
    """Whether half of the lines begin with a name and names recur: ``City: Lisbon`` in a list is no speaker."""
    names = [match[1] for match in map(_SPEAKER.fullmatch, sample) if match]
    return len(names) >= 2 and 2 * len(names) >= len(sample) and len(set(names)) <= max(2, len(names) // 2)


def _turns(path: Path, layout: Layout) -> Iterator[ImportedTurn | BrokenLine]:
    for number, speaker, text in _blocks(path, layout):
        if text is None:
            yield too_long(number)
            continue
        role = role_of(speaker) if is_role(speaker) else "user"
        if layout.roles and not is_role(speaker):
            role = "user" if (speaker or "").lower() in _USERS else "document"
        trust = trust_of(role)
        try:
            yield ImportedTurn(
                checked_text(text), role, speaker, session=path.stem, source="text", trust=trust, metadata={}
            )
        except InvalidInput as error:
            yield BrokenLine(number, str(error))


def _front_matter(path: Path) -> int:
    """How many lines at the beginning of a file are about it."""
    first = [(raw or b"").decode("utf-8", "replace").strip() for _, raw in islice(lines(path), SAMPLE)]
    fence = first[0] if first and first[0] in ("---", "+++") else None
    return first.index(fence, 1) + 1 if fence is not None and fence in first[1:] else 0


def _chat(path: Path) -> Iterator[tuple[int, str | None, str | None]]:
    """`_blocks` of a chat with an assistant, without the front matter of a note."""
    start, speaker, size = 1, None, 0
    block: list[str] = []
    head = _front_matter(path)
    for number, raw in islice(lines(path), head, None):
        line = "" if raw is None else raw.decode("utf-8").rstrip()
        label = _role_label(line)
        if label is not None or raw is None or size + len(line) > MAX_TEXT:
            if text := "\n".join(block).strip():
                yield start, speaker, text
            start, block, size = number, [], 0
        if raw is None:
            yield number, None, None
            continue
        if label is not None:
            speaker, line = label
        block.append(line)
        size += len(line) + 1
    if text := "\n".join(block).strip():
        yield start, speaker, text


def _blocks(path: Path, layout: Layout) -> Iterator[tuple[int, str | None, str | None]]:
    """(first line, speaker, text) of each turn; the text is None for a line that is too long."""
    if layout.roles:
        yield from _chat(path)
        return
    start, speaker, size = 0, None, 0
    block: list[str] = []
    for number, raw in lines(path):
        line = "" if raw is None else raw.decode("utf-8").rstrip()
        named = _SPEAKER.fullmatch(line) if layout.speakers else None
        alone = not layout.speakers and not layout.paragraphs
        if block and (raw is None or not line or named or alone or size + len(line) > MAX_TEXT):
            yield start, speaker, "\n".join(block)
            # the speaker stays the same after a cut for length, and ends at a blank line
            speaker = speaker if line and raw is not None else None
            block, size = [], 0
        if raw is None:
            yield number, None, None
            continue
        if named:
            speaker, line = named[1], named[2]
        if line:
            start = start if block else number
            block.append(line)
            size += len(line) + 1
    if block:
        yield start, speaker, "\n".join(block)
