"""Chats of Messenger and Instagram in Meta's export: ``message_1.json``, one chat a folder, its newest message first.

Meta writes each byte of a text's UTF-8 as a character of its own ("cafÃ©"); texts and names are read as they were.
"""

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

SOURCE = "messenger"
_NOTICES = ("Subscribe", "Unsubscribe", "Call")
"""Types of messages that nobody said."""


def recognises(value: object) -> bool:
    """Whether `value` is one chat."""
    if not isinstance(value, Mapping) or not isinstance(value.get("messages"), list):
        return False
    return any(
        isinstance(each, Mapping) and {"sender_name", "timestamp_ms"} <= each.keys() for each in value["messages"]
    )


class Reader:
    def __init__(self, path: Path) -> None:
        self._name = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        if not recognises(value):
            raise InvalidInput("it is no chat: it has no messages with a sender_name and a timestamp_ms")
        title = _as_said(value.get("title"))
        session = _as_said(value.get("thread_path")) or title or self._name
        metadata = {"chat": title} if title else {}
        turns, others = one_by_one(value["messages"], lambda message: _turn(message, session, metadata))
        return [*dated_within(turns[::-1], None), *others]


def _turn(message: object, session: str, metadata: Mapping[str, Any]) -> ImportedTurn | LeftOut:
    if not isinstance(message, Mapping):
        raise InvalidInput("it is not an object")
    if message.get("type") in _NOTICES:
        return LeftOut("notices")
    if message.get("is_unsent") is True:
        return LeftOut("messages that were unsent")
    text = _as_said(message.get("content"))
    if not text:
        return LeftOut("media")
    sender = _as_said(message.get("sender_name")) or None
    stamp = message.get("timestamp_ms")
    key = f"{session}/{stamp}/{sender}" if isinstance(stamp, int) else None
    at = moment_or_none(stamp)
    role = PARTICIPANT
    return ImportedTurn(checked_text(text), role, sender, session, at, SOURCE, trust_of(role), dict(metadata), key)


def _as_said(written: object) -> str:
    """The text that Meta wrote byte by byte; "" for what is no text."""
    if not isinstance(written, str):
        return ""
    try:
        return written.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return written.strip()
