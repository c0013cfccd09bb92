"""A channel of Discord, as DiscordChatExporter writes it to JSON: the one export of Discord's that has both sides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut
from hybridmem.importers.dating import dated_within
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import PARTICIPANT
from hybridmem.importers.one_by_one import one_by_one
from hybridmem.importers.times import moment_or_none

SOURCE = "discord"
_SAID = ("Default", "Reply", "ThreadStarterMessage", 0, 19, 21)
"""Types of messages in which somebody says something, by name and as Discord numbers them; the others are notices."""


def recognises(value: object) -> bool:
    """Whether `value` is one channel."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("channel"), Mapping)
        and isinstance(value.get("messages"), list)
        and any(isinstance(each, Mapping) and isinstance(each.get("author"), Mapping) for each in value["messages"])
    )


class Reader:
    def __init__(self, path: Path) -> None:
        self._name = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        if not recognises(value):
            raise InvalidInput("it is no channel: it has no messages with an author")
        channel, guild = value["channel"], value.get("guild")
        name = _text(channel.get("name"))
        session = _text(channel.get("id")) or name or self._name
        home = _text(guild.get("name")) if isinstance(guild, Mapping) else ""
        metadata = {key: text for key, text in (("chat", name), ("server", home)) if text}
        turns, others = one_by_one(value["messages"], lambda message: _turn(message, session, metadata))
        return [*dated_within(turns, None), *others]


def _turn(message: object, session: str, metadata: Mapping[str, Any]) -> ImportedTurn | LeftOut:
    if not isinstance(message, Mapping):
        raise InvalidInput("it is not an object")
    if message.get("type") not in (*_SAID, None):
        return LeftOut("notices")
    text = _text(message.get("content"))
    if not text:
        return LeftOut("media" if message.get("attachments") or message.get("stickers") else "no words")
    author = message.get("author")
    author = author if isinstance(author, Mapping) else {}
    sender = next((said for name in ("nickname", "name", "id") if (said := _text(author.get(name)))), None)
    role = "assistant" if author.get("isBot") is True else PARTICIPANT
    id = _text(message.get("id"))
    at = moment_or_none(message.get("timestamp"))
    key = f"{session}/{id}" if id else None
    trust = trust_of(PARTICIPANT)
    return ImportedTurn(checked_text(text), role, sender, session, at, SOURCE, trust, dict(metadata), key)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
