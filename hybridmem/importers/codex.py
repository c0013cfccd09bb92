"""Codex's sessions: ``rollout-*.jsonl``, one event a line.

The same words are written twice: as a `response_item` and as an `event_msg`. The items are read; the messages among the
events are read only while no item has come, as in the sessions that have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.core.text.injected import without_injected
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import words
from hybridmem.importers.times import moment_or_none

Form = Literal["item", "event"]
SOURCE = "codex"
_TYPES = ("response_item", "event_msg", "session_meta", "turn_context", "compacted")
_EVENTS = {"user_message": "user", "agent_message": "assistant"}
_PREAMBLES = ("# AGENTS.md instructions for", "<environment_context>", "<user_instructions>")


def recognises(value: object) -> bool:
    """Whether `value` is one event of a session, or the first line of one without events, as they were in 2025."""
    if not isinstance(value, Mapping):
        return False
    if _is_header(value):
        return True
    return value.get("type") in _TYPES and isinstance(value.get("payload"), Mapping)


def _is_header(value: Mapping[str, Any]) -> bool:
    names = value.keys()
    return {"id", "timestamp"} <= names and bool({"instructions", "git"} & names) and not {"type", "role"} & names


class Reader:
    def __init__(self, path: Path) -> None:
        self._session = file_name(path.stem)
        self._began: datetime | None = None
        self._single: Counter[tuple[Form, str, str]] = Counter()
        """What was read in one form and not yet in the other, by role and words: the other form of it is a copy."""

    def read(self, number: int, value: Any) -> list[Entry]:
        payload = value.get("payload") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and payload is None:
            if _is_header(value):
                self._session, self._began = str(value["id"]), moment_or_none(value["timestamp"])
                return [LeftOut("events")]
            if value.get("type") == "message" and isinstance(value.get("content"), list):
                return [self._message(value, value)]
            if "record_type" in value:
                return [LeftOut("events")]
        if not isinstance(payload, Mapping):
            if isinstance(value, Mapping) and isinstance(value.get("type"), str):
                return [LeftOut("events")]
            raise InvalidInput("it is no event of a session")
        if value.get("type") == "session_meta" and isinstance(payload.get("id"), str) and payload["id"]:
            self._session = payload["id"]
        kind = payload.get("type")
        if value.get("type") == "response_item" and kind == "message":
            return [self._message(payload, value)]
        if value.get("type") == "event_msg" and isinstance(kind, str) and kind in _EVENTS:
            named = _EVENTS[kind]
            said = payload["message"] if isinstance(payload.get("message"), str) else None
        else:
            return [LeftOut("events")]
        return [self._turn("event", named, said, value)]

    def _message(self, message: Mapping[str, Any], value: Mapping[str, Any]) -> Entry:
        """The turn of a message, whose parts are the user's words and, apart from them, what the program adds."""
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        texts = [said for part in parts if (said := words(part)[0]) is not None]
        own = [text for text in texts if not text.lstrip().startswith(_PREAMBLES)]
        return self._turn("item", str(message.get("role") or "unknown"), "\n".join(own or texts), value)

    def _turn(self, form: Form, named: str, said: str | None, value: Mapping[str, Any]) -> Entry:
        role = role_of(named)
        if role == "system":
            return LeftOut("system messages")
        if (said or "").lstrip().startswith(_PREAMBLES):
            return LeftOut("injected text")
        text = without_injected(said or "")
        if not text:
            return LeftOut("no words")
        other: Form = "event" if form == "item" else "item"
        if self._single[other, role, text]:
            self._single[other, role, text] -= 1
            return LeftOut("the second form of a message")
        self._single[form, role, text] += 1
        at = moment_or_none(value.get("timestamp")) or self._began
        return ImportedTurn(checked_text(text), role, None, self._session, at, SOURCE, trust_of(role))
