"""An episode as an item of a list: when and by whom it was said, and its words, which may go on over indented lines.

    - 09:00 user: I moved to Lisbon. ^ep-0198
      The flat is small.

Times are in UTC. The mark stands at the end of the first line, where no block of code can swallow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from hybridmem.core.records import Episode
from hybridmem.core.roles import is_role
from hybridmem.maintenance.markdown.fact_line import BLOCK

_ITEM = re.compile(r"[-*+] +(?!\[[^\[\]]?\](?: |$))(?P<rest>\S.*)")
_HEAD = re.compile(r"(?:(?P<time>(?:[01]\d|2[0-3]):[0-5]\d)\s+)?(?:(?P<role>\w+)(?: (?P<speaker>[^:]{1,80}))?: )?")
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class EpisodeItem:
    """What a new item says."""

    text: str
    role: str = "user"
    speaker: str | None = None
    at: time | None = None
    """None where the item names no time."""


def render(episode: Episode, block: str) -> str:
    """The item of `episode`, in one line or several. White space at the ends of its lines is left away, as editors do.

    >>> from datetime import UTC, datetime
    >>> print(render(Episode("e1", ("ana",), "I moved.\\nIt rains.", at=datetime(2026, 3, 1, 9, tzinfo=UTC)), "e1"))
    - 09:00 user: I moved. ^e1
      It rains.
    """
    first, *more = episode.text.replace("\r\n", "\n").split("\n")
    return trimmed("\n".join([f"{_head(episode)}{first.rstrip()} ^{block}", *(f"{_INDENT}{line}" for line in more)]))


def trimmed(text: str) -> str:
    """`text` without white space at the ends of its lines and empty lines at its end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


def is_item(line: str) -> bool:
    """Whether an item begins with `line`. One with a box to tick is a task."""
    return _ITEM.fullmatch(line.rstrip()) is not None


def goes_on(line: str) -> bool:
    """Whether `line` belongs to the item above it."""
    return line.startswith((_INDENT, "\t")) and bool(line.strip())


def reworded(item: str, episode: Episode, block: str) -> str | None:
    """The words that `item` has for `episode`; None where its time or its speaker is another than it was."""
    first, *more = re.sub(r"\A[-*+] +", "- ", item).split("\n")
    head = _head(episode)
    if not f"{first} ".startswith(head):
        return None
    lines = [first[len(head) :], *map(_outdented, more)]
    return trimmed("\n".join(_without_mark(line, block) for line in lines)).strip("\n")


def parse(item: str, block: str | None = None) -> EpisodeItem | None:
    """What a new item says, without the mark `block` of the one that it was copied from; None where it has no words.

    >>> parse("- 10:30 assistant: It rains.")
    EpisodeItem(text='It rains.', role='assistant', speaker=None, at=datetime.time(10, 30))
    >>> parse("- Buy: milk")
    EpisodeItem(text='Buy: milk', role='user', speaker=None, at=None)
    """
    lines = item.split("\n")
    first, *more = [_without_mark(line, block) for line in lines] if block is not None else lines
    found = _ITEM.fullmatch(first.rstrip())
    if found is None:
        return None
    rest = found["rest"]
    head = _HEAD.match(rest)
    said_at = time.fromisoformat(head["time"]) if head and head["time"] else None
    role, speaker = "user", None
    if head and head["role"] and is_role(head["role"]):
        role, speaker, rest = head["role"], head["speaker"], rest[head.end() :]
    elif head and head["time"]:
        rest = rest[head.end("time") :].lstrip()
    text = "\n".join([rest, *map(_outdented, more)]).strip()
    return EpisodeItem(text, role, speaker, said_at) if text else None


def _head(episode: Episode) -> str:
    who = " ".join(" ".join(filter(None, (episode.role, episode.speaker))).split())
    return f"- {episode.at:%H:%M} {who}: "


def _outdented(line: str) -> str:
    return line[len(_INDENT) :] if line.startswith(_INDENT) else line.removeprefix("\t")


def _without_mark(line: str, block: str) -> str:
    found = BLOCK.search(line)
    return line[: found.start()] if found and found["block"] == block else line
