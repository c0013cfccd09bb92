"""What a proposition came from: a piece of an episode, with who said it, when, and what was said before."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from hybridmem.core.records import Episode
from hybridmem.core.text.sentences import sentences
from hybridmem.core.text.tokens import tokens
from hybridmem.models import prompts

MAX_CHARACTERS = 600
"""Longer episodes are read in pieces of whole sentences; a sentence above it is cut between words."""
TURNS_BEFORE = 2
"""Earlier turns of its session that an episode is read with."""
ASSISTANT = "assistant"


@dataclass(frozen=True)
class Source:
    """One piece of an episode."""

    episode: Episode
    text: str
    before: tuple[str, ...] = ()
    """Earlier turns, oldest first, as a prompt shows them."""
    user: str | None = None
    """The name under which the user speaks, where there is only one: it is read as "I", which is how the user asks."""

    @property
    def speaker(self) -> str | None:
        """Who says "I"; None for the user."""
        return _speaker(self.episode, self.user)

    @property
    def is_users(self) -> bool:
        """Whether the user said it: what others say about the user is no word of the user's."""
        return self.episode.trust == "user" and self.episode.role != ASSISTANT

    @property
    def line(self) -> str:
        """The piece as one memory in a prompt, with its speaker and its date."""
        return prompts.memory(self.text, speaker=self.speaker, at=self.episode.at)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that was said, the speaker's name and the turns before among them."""
        return frozenset(tokens(" ".join((self.text, self.episode.speaker or "", *self.before))))


def sources(episode: Episode, before: Sequence[Episode], user: str | None = None) -> list[Source]:
    """`episode` in pieces, each with the turns `before` it; `user` is the only name under which the user speaks."""
    earlier = tuple(_turn(turn, user) for turn in before[-TURNS_BEFORE:])
    return [Source(episode, piece, earlier, user) for piece in pieces(episode.text)]


def only_name(speakers: Collection[str | None]) -> str | None:
    """The name of the user, where no turn of the user's carries another or none."""
    return next(iter(speakers)) if len(speakers) == 1 else None


def _turn(episode: Episode, user: str | None) -> str:
    return prompts.memory(episode.text[:MAX_CHARACTERS], speaker=_speaker(episode, user))


def _speaker(episode: Episode, user: str | None) -> str | None:
    if episode.role == ASSISTANT:
        return episode.speaker or ASSISTANT
    return None if episode.speaker == user and episode.trust == "user" else episode.speaker


def pieces(text: str) -> list[str]:
    """`text` in pieces of whole sentences, none above `MAX_CHARACTERS`."""
    found: list[str] = []
    for sentence in _short(sentences(text)):
        if found and len(found[-1]) + len(sentence) < MAX_CHARACTERS:
            found[-1] += " " + sentence
        else:
            found.append(sentence)
    return found


def _short(sentences: Sequence[str]) -> list[str]:
    return [
        piece
        for sentence in sentences
        for piece in (textwrap.wrap(sentence, MAX_CHARACTERS) if len(sentence) > MAX_CHARACTERS else [sentence])
    ]
