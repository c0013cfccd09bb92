"""Letta's agent file, ``.af``: the agent's memory blocks and its messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.message import words
from hybridmem.importers.times import moment_or_none

SOURCE = "letta"
_ROLE = "assistant"


def recognises(value: object) -> bool:
    """Whether `value` is an agent file."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("agents"), list)
        and any(isinstance(value.get(name), list) for name in ("blocks", "tools", "sources", "groups"))
    )


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed: the agents have names."""

    def read(self, number: int, value: Any) -> Iterator[Entry]:
        if not recognises(value):
            raise InvalidInput("it is no agent file: it has no agents and blocks")
        agents = [agent for agent in value["agents"] if isinstance(agent, Mapping)]
        names = [str(agent.get("name") or agent.get("id") or "agent") for agent in agents]
        blocks = value.get("blocks")
        for place, block in enumerate(blocks if isinstance(blocks, list) else [], 1):
            yield _tried(number, f"block {place}", lambda each=block: _block(each, ", ".join(names)))
        for name, agent in zip(names, agents, strict=True):
            messages = agent.get("messages")
            for place, message in enumerate(messages if isinstance(messages, list) else [], 1):
                yield _tried(number, f"{name}, message {place}", lambda each=message, who=name: _message(each, who))


def _tried(number: int, where: str, make: Any) -> Entry:
    try:
        entry: Entry = make()
    except InvalidInput as error:
        return BrokenLine(number, f"{where}: {error}")
    return entry


def _block(block: object, agent: str) -> Entry:
    if not isinstance(block, Mapping):
        raise InvalidInput("it is not an object")
    value = block.get("value")
    if not isinstance(value, str) or not value.strip():
        return LeftOut("no words")
    label = str(block.get("label") or "memory")
    about = {"label": label, "agent": agent}
    if isinstance(block.get("description"), str) and block["description"]:
        about["description"] = block["description"]
    text = checked_text(f"{label}: {value.strip()}")
    key = f"{agent}/block/{label}"
    return ImportedTurn(text, _ROLE, source=SOURCE, trust=trust_of(_ROLE), metadata=about, key=key)


def _message(message: object, agent: str) -> Entry:
    if not isinstance(message, Mapping):
        raise InvalidInput("it is not an object")
    named = str(message.get("role") or "unknown")
    role = role_of(named)
    if role in ("system", "tool"):
        return LeftOut("system messages" if role == "system" else "tool results")
    said, _ = words(message.get("content") if message.get("content") is not None else message.get("text"))
    # what an agent says through a tool is all that the user saw: the words beside it are its thoughts
    text = _unpacked(said) if role == "user" else _sent(message.get("tool_calls")) or said
    if text is None or not text.strip():
        return LeftOut("no words")
    at = moment_or_none(message.get("created_at"))
    id = message.get("id")
    key = f"{agent}/{message.get('created_at')}/{id}" if isinstance(id, (str, int)) and id != "" else None
    return ImportedTurn(checked_text(text.strip()), role, None, agent, at, SOURCE, trust_of(role), {}, key)


def _unpacked(said: str | None) -> str | None:
    """The words in the JSON that older servers made of a user's message; None for their events, which nobody said."""
    if said is None or not said.lstrip().startswith("{"):
        return said
    try:
        packed = json.loads(said)
    except (ValueError, RecursionError):
        return said
    if not isinstance(packed, dict) or not isinstance(packed.get("type"), str):
        return said
    message = packed.get("message")
    return message if packed["type"] == "user_message" and isinstance(message, str) else None


def _sent(calls: object) -> str | None:
    """What an agent said through its tool `send_message`."""
    sent = []
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or function.get("name") != "send_message":
            continue
        try:
            arguments = json.loads(str(function.get("arguments")))
        except (ValueError, RecursionError):
            continue
        if isinstance(arguments, dict) and isinstance(arguments.get("message"), str):
            sent.append(arguments["message"])
    return "\n".join(sent) or None
