"""Slack's export: a folder for each channel, a file for each day, and ``users.json`` with the names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut, document
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import PARTICIPANT
from hybridmem.importers.times import moment_or_none

SOURCE = "slack"
_KEPT = ("thread_broadcast", "me_message", "file_share", "file_comment", "reply_broadcast")
"""Subtypes in which somebody says something; the others are notices."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(?:([#!])([^|>]*)|([^|>]*))(?:\|([^>]*))?>")


def recognises(value: object) -> bool:
    """Whether `value` is one message."""
    return isinstance(value, Mapping) and value.get("type") == "message" and "ts" in value and "content" not in value


class Reader:
    def __init__(self, path: Path) -> None:
        daily = _DAY.fullmatch(path.stem) is not None and path.parent.name
        self._session = path.parent.name if daily else file_name(path.stem)
        self._path = path
        self._names: dict[str, str] | None = None

    def read(self, number: int, value: Any) -> list[Entry]:
        if not recognises(value):
            if isinstance(value, Mapping) and isinstance(value.get("type"), str):
                return [LeftOut("notices")]
            raise InvalidInput("it is no message: it has no type and ts")
        subtype = value.get("subtype")
        bot = subtype == "bot_message" or (value.get("bot_id") is not None and value.get("user") is None)
        if subtype is not None and subtype not in _KEPT and not bot:
            return [LeftOut("notices")]
        if self._names is None:
            self._names = _names(self._path)
        text = self._plain(value["text"]).strip() if isinstance(value.get("text"), str) else ""
        text = text or self._plain("\n".join(_blocks(value.get("blocks")))).strip()
        if not text:
            return [LeftOut("no words")]
        user = value.get("user")
        profile = value.get("user_profile")
        said_by = [
            self._names.get(user) if isinstance(user, str) else None,
            profile.get("real_name") if isinstance(profile, Mapping) else None,
            value.get("username"),
            user,
        ]
        speaker = next((name for name in said_by if isinstance(name, str) and name.strip()), None)
        role = "assistant" if bot else PARTICIPANT
        metadata = {"thread": value["thread_ts"]} if isinstance(value.get("thread_ts"), str) else {}
        trust = trust_of("web" if bot else role)
        turn = ImportedTurn(
            checked_text(text),
            role,
            speaker,
            self._session,
            moment_or_none(value["ts"]),
            SOURCE,
            trust,
            metadata,
            f"{self._session}/{value['ts']}/{user if isinstance(user, str) else ''}",
        )
        return [turn]

    def _plain(self, text: str) -> str:
        """The text with names for ids, and links as they read."""
        names = self._names or {}
        text = _MENTION.sub(lambda found: f"@{names.get(found[1], found[1])}", text)
        text = _LINK.sub(lambda found: _link(found[1], found[2] or found[3] or "", found[4]), text)
        return unescape(text)


def _blocks(value: object) -> Iterator[str]:
    """The texts of blocks, for a message that has its words there alone."""
    for block in value if isinstance(value, list) else []:
        if not isinstance(block, Mapping):
            continue
        if isinstance(block.get("elements"), list):
            yield ("" if _is_line(block) else "\n").join(_blocks(block["elements"]))
        elif isinstance(block.get("text"), str):
            yield block["text"]
        elif isinstance(block.get("text"), Mapping) and isinstance(block["text"].get("text"), str):
            yield block["text"]["text"]
        elif isinstance(block.get("user_id"), str):
            yield f"<@{block['user_id']}>"
        elif isinstance(block.get("url"), str):
            yield block["url"]


def _is_line(block: Mapping[str, Any]) -> bool:
    return block.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote")


def _link(sign: str | None, target: str, label: str | None) -> str:
    shown = label or target
    return f"{'@' if sign == '!' else sign or ''}{shown}"


def _names(path: Path) -> dict[str, str]:
    """The names of ``users.json`` beside the file, or beside its folder, by id; none where it is not there."""
    for folder in (path.parent, path.parent.parent):
        users = folder / "users.json"
        if not users.is_file():
            continue
        try:
            listed = document(users)
        except InvalidInput:
            continue
        if isinstance(listed, list):
            return {user["id"]: name for user in listed if _is_user(user) and (name := _name(user))}
    return {}


def _is_user(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("id"), str)


def _name(user: Mapping[str, Any]) -> str | None:
    profile = user.get("profile")
    shown = profile if isinstance(profile, Mapping) else {}
    names = (user.get("real_name"), shown.get("real_name"), shown.get("display_name"), user.get("name"))
    return next((name for name in names if isinstance(name, str) and name.strip()), None)
