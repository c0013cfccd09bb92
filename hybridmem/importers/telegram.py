"""Telegram's export, ``result.json``: one chat, or everything.

The user is who `personal_information` names, and in a chat of two the one whom the chat is not named after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.dating import dated_within
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import PARTICIPANT
from hybridmem.importers.one_by_one import one_by_one
from hybridmem.importers.times import moment_or_none

SOURCE = "telegram"
_CHATS = {
    *("personal_chat", "bot_chat", "saved_messages", "private_group", "private_supergroup", "public_supergroup"),
    *("private_channel", "public_channel", "replies", "verify_codes"),
}


def recognises(value: object) -> bool:
    """Whether `value` is one chat, or an export of all."""
    return _is_chat(value) or bool(_listed(value))


class Reader:
    def __init__(self, path: Path) -> None:
        self._name = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        if _is_chat(value):
            return list(self._chat(value, None, number))
        chats = _listed(value)
        if not chats:
            raise InvalidInput("it holds no chat: expected messages, or chats with a list")
        about = value.get("personal_information")
        own = about.get("user_id") if isinstance(about, Mapping) else None
        entries: list[Entry] = []
        for place, chat in enumerate(chats, 1):
            if _is_chat(chat):
                entries += self._chat(chat, own, place)
            else:
                entries.append(BrokenLine(place, f"chat {place}: it has no list of messages"))
        return entries

    def _chat(self, chat: Mapping[str, Any], own: object, place: int) -> Iterator[Entry]:
        name = chat.get("name")
        id = chat.get("id")
        session = str(id) if isinstance(id, (str, int)) else (str(name) if isinstance(name, str) else self._name)
        metadata = {"chat": name} if isinstance(name, str) and name.strip() else {}
        turns, others = one_by_one(
            chat["messages"], lambda message: _turn(message, chat, own, session, metadata), f"chat {place}, "
        )
        yield from others
        yield from dated_within(turns, None)


def _is_chat(value: object) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("messages"), list):
        return False
    if isinstance(value.get("type"), str) and value["type"] in _CHATS:
        return True
    return any(isinstance(each, Mapping) and "date_unixtime" in each for each in value["messages"][:20])


def _listed(value: object) -> list[Any]:
    """The chats of an export of everything, those that were left included."""
    found: list[Any] = []
    for name in ("chats", "left_chats"):
        part = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(part, Mapping) and isinstance(part.get("list"), list):
            found += part["list"]
    return found


def _turn(
    message: object, chat: Mapping[str, Any], own: object, session: str, metadata: Mapping[str, Any]
) -> ImportedTurn | LeftOut:
    if not isinstance(message, Mapping):
        raise InvalidInput("it is not an object")
    if message.get("type") != "message":
        return LeftOut("notices")
    text = (_text(message.get("text")) or _text(message.get("text_entities"))).strip()
    if not text:
        return LeftOut("media" if "media_type" in message or "photo" in message or "file" in message else "no words")
    sender = message.get("from") if isinstance(message.get("from"), str) else None
    forwarded = message.get("forwarded_from")
    about = dict(metadata)
    if isinstance(message.get("reply_to_message_id"), int):
        about["reply_to"] = message["reply_to_message_id"]
    mine = "forwarded_from" not in message and _is_own(message, chat, own)
    if isinstance(forwarded, str) and forwarded.strip():
        about["forwarded_by"] = sender
        sender = forwarded
    role = "user" if mine else PARTICIPANT
    at = moment_or_none(message.get("date_unixtime")) or moment_or_none(message.get("date"))
    id = message.get("id")
    key = f"{session}/{id}" if isinstance(id, (int, str)) and id != "" else None
    return ImportedTurn(checked_text(text), role, sender, session, at, SOURCE, trust_of(role), about, key)


def _is_own(message: Mapping[str, Any], chat: Mapping[str, Any], own: object) -> bool:
    """Whether the user wrote the message, as far as the export says so."""
    sender, name = message.get("from_id"), message.get("from")
    if own is not None:
        return sender in (f"user{own}", own)
    if chat.get("type") == "saved_messages":
        return True
    if chat.get("type") not in ("personal_chat", "bot_chat") or not isinstance(sender, str) or name is None:
        return False
    return sender != f"user{chat.get('id')}" and name != chat.get("name")


def _text(value: object) -> str:
    """A text is a string, or a list of strings and of parts with a text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    parts = (part.get("text") if isinstance(part, Mapping) else part for part in value)
    return "".join(part for part in parts if isinstance(part, str))
