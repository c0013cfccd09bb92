"""The messages in a file of an agent's sessions, tools' calls among them: logs of Claude Code, Codex and Gemini CLI,
and messages as JSON or JSON lines. What an import leaves out is in it; what it stores is found again by its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.importers import claude_code, codex, gemini
from hybridmem.importers.detect import shape_of
from hybridmem.importers.json_values import JsonValue, values
from hybridmem.importers.message import conversation


@dataclass(frozen=True, slots=True)
class Logged:
    """One message, as its sender wrote it."""

    message: Mapping[str, Any]
    session: str | None
    """The conversation that it belongs to, where the file says."""


_HELD = {"content", "text", "parts", "messages"}
"""What the first line of a log of Gemini CLI, which names the session, does not have."""


def logged(path: Path) -> Iterator[Logged]:
    """The messages of the file in order. Lines that cannot be read are passed over: the import reports them. Raises
    `InvalidInput` for a file that cannot be read."""
    # Gemini CLI writes a message anew as its calls end: the last state stands in the first one's place.
    yield from {_id(each) or object(): each for each in _logged(path)}.values()


def _logged(path: Path) -> Iterator[Logged]:
    session: str | None = None
    for each in values(path, shape_of(path), lambda value: isinstance(value, dict)):
        value = each.value if isinstance(each, JsonValue) else None
        if isinstance(value, Mapping) and claude_code.recognises(value):
            session = _text(value, "sessionId") or session
            message = value.get("message")
            if isinstance(message, Mapping) and not any(value.get(flag) is True for flag in claude_code.FLAGS):
                yield Logged(message, session)
        elif isinstance(value, Mapping) and isinstance(value.get("payload"), Mapping) and codex.recognises(value):
            payload = value["payload"]
            if value.get("type") == "session_meta":
                session = _text(payload, "id") or session
            elif value.get("type") == "response_item":
                yield Logged(payload, session)
        elif isinstance(value, Mapping) and "sessionId" in value and not _HELD & set(value):
            session = _text(value, "sessionId") or session
        elif isinstance(value, Mapping) and _is_gemini(value):
            yield Logged(value, session)
        elif (held := conversation(value)) is not None:
            yield from (Logged(one, held[1]) for one in held[0] if isinstance(one, Mapping))
        elif isinstance(value, Mapping):
            yield Logged(value, _text(value, "session", "session_id", "thread_id"))


def _is_gemini(value: Mapping[str, Any]) -> bool:
    """Whether it is one message in a log of Gemini CLI."""
    return gemini.recognises(value) and not {"role", "messages", "contents"} & set(value)


def _id(logged: Logged) -> str:
    """What tells a message of Gemini CLI from the others; "" for every other message."""
    return str(logged.message.get("id") or "") if _is_gemini(logged.message) else ""


def _text(value: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if isinstance(found := value.get(name), str) and found.strip()), None)
