"""Claude Code's sessions: one ``.jsonl`` file each, one event a line.

What the user and the assistant wrote is read. Meta lines, sidechains (other agents), compact summaries, thoughts and
tools are left out, and so is what programs put into the user's message.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.core.text.injected import without_injected
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import words
from hybridmem.importers.times import moment_or_none

SOURCE = "claude-code"
_EVENTS = {"summary", "system", "progress", "attachment", "file-history-snapshot", "queue-operation", "last-prompt"}
FLAGS = {
    "isMeta": "meta lines",
    "isSidechain": "sidechains",
    "isCompactSummary": "summaries",
    "isVisibleInTranscriptOnly": "meta lines",
    "isApiErrorMessage": "events",
}


def recognises(value: object) -> bool:
    """Whether `value` is one event of a session."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        return False
    message = value.get("message")
    if isinstance(message, Mapping):
        return "role" in message and "content" in message
    known = value["type"] in _EVENTS
    return known and any(name in value for name in ("summary", "sessionId", "leafUuid", "messageId"))


class Reader:
    def __init__(self, path: Path) -> None:
        self._session = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        if not isinstance(value, Mapping):
            raise InvalidInput("it is no event of a session")
        if isinstance(value.get("sessionId"), str) and value["sessionId"].strip():
            self._session = value["sessionId"]
        message = value.get("message")
        if not isinstance(message, Mapping) or not ("role" in message or "content" in message):
            if isinstance(value.get("type"), str):
                return [LeftOut("events")]
            raise InvalidInput("it has no type and no message: it is no event of a session")
        for flag, reason in FLAGS.items():
            if value.get(flag) is True:
                return [LeftOut(reason)]
        if message.get("model") == "<synthetic>":
            return [LeftOut("events")]
        named = str(message.get("role") or value.get("type") or "")
        role = role_of(named or "unknown")
        said, results = words(message.get("content"))
        text = without_injected(said or "")
        if not text:
            return [LeftOut("tool results" if results else "no words")]
        at = moment_or_none(value.get("timestamp"))
        key = value["uuid"] if isinstance(value.get("uuid"), str) and value["uuid"] else None
        metadata = {"cwd": value["cwd"]} if isinstance(value.get("cwd"), str) and value["cwd"] else {}
        return [ImportedTurn(checked_text(text), role, None, self._session, at, SOURCE, trust_of(role), metadata, key)]
