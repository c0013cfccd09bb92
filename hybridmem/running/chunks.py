"""Messages to chunks of tokens: what is read at once.

A chunk ends where a message does. A message that is longer than a chunk is read in pieces, each behind the message's
own date and speaker, so that no chunk holds words of which it does not say whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hybridmem.models import prompts

Encode = Callable[[str], list[int]]
"""Text to token ids, none of them a control token."""


@dataclass(frozen=True, slots=True)
class SessionMessage:
    """One message of a session, as the model reads it."""

    id: str
    """Of the episode that it is, or its own where no ledger has it."""
    text: str
    speaker: str | None = None
    at: datetime | None = None
    stored: bool = False
    """Whether the ledger has it: then the ledger says whether it is still there, and in which words."""

    @property
    def line(self) -> str:
        """The message as a prompt shows it."""
        return prompts.memory(self.text, speaker=self.speaker, at=self.at)

    @property
    def header(self) -> str:
        """What stands before its words."""
        return self.line[: len(self.line) - len(prompts.one_line(self.text))]


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or a part of one, in a chunk."""

    message: str
    """Its id."""
    ids: tuple[int, ...]


def pieces(message: SessionMessage, encode: Encode, most: int) -> list[Piece]:
    """`message` as one piece of at most `most` tokens, or as several."""
    whole = encode(f"- {message.line}\n")
    if len(whole) <= most:
        return [Piece(message.id, tuple(whole))]
    head, end = encode(f"- {message.header}")[: most // 2], encode("\n")
    body = encode(prompts.one_line(message.text))
    room = most - len(head) - len(end)
    return [Piece(message.id, (*head, *part, *end)) for part in _parts(body, room)]


def packed(found: Sequence[Piece], room: int, most: int) -> Iterator[list[Piece]]:
    """`found` in groups that fit, the first into `room` tokens (it may be empty) and the others into `most`."""
    group: list[Piece] = []
    for piece in found:
        if len(piece.ids) > room:
            yield group
            group, room = [], most
        group.append(piece)
        room -= len(piece.ids)
    yield group


def _parts(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
