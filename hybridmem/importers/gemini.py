"""Gemini CLI's sessions: ``session-*.jsonl``, whose first line names the session, or one object with all messages; and
the API's ``contents`` and ``parts``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.core.text.injected import without_injected
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.identity import file_name, own_key
from hybridmem.importers.message import words
from hybridmem.importers.times import moment_or_none

SOURCE = "gemini"


def recognises(value: object) -> bool:
    """Whether `value` is a line of a session, or a content of the API."""
    if not isinstance(value, Mapping):
        return False
    if value.get("type") == "session_metadata" or value.get("type") == "gemini":
        return True
    if value.get("type") == "user" and isinstance(value.get("content"), list) and "role" not in value:
        return True
    if (messages := _listed(value)) is not None:
        return any(map(recognises, messages))
    return value.get("role") in ("user", "model", "function") and isinstance(value.get("parts"), list)


def _listed(value: Mapping[str, Any]) -> list[Any] | None:
    """The messages of a session that is one object, or of a request to the API; None for anything else."""
    for name in ("messages", "contents"):
        if isinstance(value.get(name), list) and (name == "contents" or "sessionId" in value):
            return list(value[name])
    return None


class Reader:
    def __init__(self, path: Path) -> None:
        self._session = file_name(path.stem)

    def read(self, number: int, value: Any) -> list[Entry]:
        if not isinstance(value, Mapping):
            raise InvalidInput("it is no line of a session")
        if isinstance(value.get("sessionId"), str) and value["sessionId"].strip():
            self._session = value["sessionId"]
        if (messages := _listed(value)) is not None:
            return [entry for place, each in enumerate(messages, 1) for entry in self._listed_entries(place, each)]
        return self._said(value)

    def _listed_entries(self, place: int, value: Any) -> list[Entry]:
        try:
            if not isinstance(value, Mapping):
                raise InvalidInput("it is no message")
            return self._said(value)
        except InvalidInput as error:
            return [BrokenLine(place, f"message {place}: {error}")]

    def _said(self, value: Mapping[str, Any]) -> list[Entry]:
        content = value.get("parts") if value.get("parts") is not None else value.get("content")
        named = value.get("role") or value.get("type")
        if content is None or not isinstance(named, str):
            if isinstance(named, str):
                return [LeftOut("events")]
            raise InvalidInput("it has neither a type nor a role with content or parts")
        role = role_of(named)
        if role not in ("user", "assistant"):
            return [LeftOut("events")]
        said, _ = words(content)
        text = without_injected(said or "")
        if not text:
            return [LeftOut("no words")]
        at = moment_or_none(value.get("timestamp"))
        key = own_key(self._session, value.get("id"))
        return [ImportedTurn(checked_text(text), role, None, self._session, at, SOURCE, trust_of(role), {}, key)]
