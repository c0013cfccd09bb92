"""What an agent's hook tells, in the words that all agents share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hybridmem.core.errors import InvalidInput

Kind = Literal["start", "prompt", "call", "reply", "end", "other"]
"""A session begins, the user says something, a tool was called, the agent has answered, a session ends; anything else
is not looked at."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance that the event itself holds."""

    role: str
    text: str
    key: str
    """What tells it from every other utterance of its session."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a tool, as the event tells it; of agents without a log that is read."""

    tool: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    """What says how it ended, in the members that `skills.outcome.of_result` knows."""
    text: str = ""
    """What the tool said."""


@dataclass(frozen=True, slots=True)
class HookEvent:
    """One event of a session."""

    kind: Kind
    name: str
    """What the agent calls it."""
    session: str
    cwd: Path
    prompt: str = ""
    """What the user says now."""
    said: tuple[Said, ...] = ()
    calls: tuple[Called, ...] = ()
    transcript: Path | None = None
    """The agent's own log of the session, which one of the importers reads."""
    fresh: bool = True
    """Whether the agent's context holds nothing of the session's earlier turns."""


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object on a hook's standard input. Raises `InvalidInput`."""
    try:
        given = json.loads(raw.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise InvalidInput("the hook's input is no JSON") from None
    if not isinstance(given, dict):
        raise InvalidInput("the hook's input is no JSON object")
    return given


def text_of(given: Mapping[str, Any], *names: str) -> str:
    """The first of the members `names` that is a text with something in it; "" where none is."""
    return next((value for name in names if isinstance(value := given.get(name), str) and value.strip()), "")


def session_of(given: Mapping[str, Any], *names: str) -> str:
    """The session's id. Raises `InvalidInput` where the event has none."""
    if not (session := text_of(given, *names)):
        raise InvalidInput(f"the hook's input has no {names[0]}")
    return session


def said(role: str, text: str, turn: str) -> tuple[Said, ...]:
    """One utterance; none where nothing was said. `turn`: what the agent calls the turn that it belongs to, if
    anything."""
    if not text.strip():
        return ()
    from hybridmem.importers.identity import text_digest  # with all importers, which a call does not need

    mark = f"{turn}/" if turn else ""
    return (Said(role, text, f"{mark}{role}/{text_digest(text).hex()}"),)


def object_of(value: object) -> Mapping[str, Any]:
    """The object that `value` is, or is the JSON of; {} where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def path_of(given: Mapping[str, Any], name: str) -> Path | None:
    """The path that the member names, if any."""
    return Path(found).expanduser() if (found := text_of(given, name)) else None
