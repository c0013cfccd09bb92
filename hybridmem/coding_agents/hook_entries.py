"""Hybridmem's entries among the hooks and MCP servers of a JSON file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from hybridmem.coding_agents import jsonc
from hybridmem.coding_agents.agent import Commands
from hybridmem.core.errors import InvalidInput

HOOKS = "hooks"


def is_ours(command: object, agent: str) -> bool:
    """Whether a hook's command is hybridmem's for this agent.

    >>> is_ours("/opt/bin/hybridmem hook cursor --memory /m", "cursor"), is_ours("hook cursor", "cursor")
    (True, False)
    """
    if not isinstance(command, str):
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if "hook" not in words:
        return False
    at = words.index("hook")
    return words[at + 1 : at + 2] == [agent] and any("hybridmem" in PurePath(word).name for word in words[:at])


def with_hooks(text: str, entries: Mapping[str, Any], agent: str) -> str:
    """`text` with one of `entries` for each event, behind those of others and in the place of hybridmem's older ones.

    Raises `InvalidInput`."""
    document = jsonc.parse(text)
    if not isinstance(document, dict):
        raise InvalidInput("it holds no JSON object")
    there = document.get(HOOKS, {})
    if not isinstance(there, dict):
        raise InvalidInput("its hooks are no object")
    held = {name: [each for each in _listed(groups) if _holds(each, agent)] for name, groups in there.items()}
    if {name: groups for name, groups in held.items() if groups} == {name: [each] for name, each in entries.items()}:
        return text
    text = without_hooks(text, agent)
    for event, entry in entries.items():
        text = jsonc.with_element(text, (HOOKS, event), entry)
    return text


def without_hooks(text: str, agent: str) -> str:
    """`text` without hybridmem's hooks for this agent. Raises `InvalidInput`."""
    while (path := _first(jsonc.parse(text), agent)) is not None:
        text = jsonc.without(text, path)
    return text


def server_entry(commands: Commands, **more: Any) -> dict[str, Any] | None:
    """The MCP server as most agents write it, with `more` in front; None where it is to be left out."""
    return None if commands.mcp is None else {**more, "command": commands.mcp[0], "args": [*commands.mcp[1:]]}


def with_server(text: str, path: tuple[str, ...], entry: Mapping[str, Any] | None) -> str:
    """`text` with the MCP server at `path`, or with None without it. Raises `InvalidInput`."""
    found = jsonc.parse(text)
    if not isinstance(found, dict):
        raise InvalidInput("it holds no JSON object")
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if entry is None:
        return jsonc.without(text, path)
    return text if found == entry else jsonc.with_member(text, path, dict(entry))


def _first(document: Any, agent: str) -> jsonc.Path | None:
    """Where the first of hybridmem's hooks is: a group that holds nothing else is one."""
    there = document.get(HOOKS) if isinstance(document, dict) else None
    for event, groups in there.items() if isinstance(there, dict) else ():
        for number, group in enumerate(_listed(groups)):
            if not _holds(group, agent):
                continue
            inner = _listed(group.get(HOOKS))
            if len(inner) < 2:
                return HOOKS, event, number
            at = next(
                n for n, each in enumerate(inner) if isinstance(each, dict) and is_ours(each.get("command"), agent)
            )
            return HOOKS, event, number, HOOKS, at
    return None


def _holds(group: Any, agent: str) -> bool:
    """Whether a hook, or a group of hooks, has one of hybridmem's."""
    if not isinstance(group, dict):
        return False
    return is_ours(group.get("command"), agent) or any(
        isinstance(each, dict) and is_ours(each.get("command"), agent) for each in _listed(group.get(HOOKS))
    )


def _listed(value: object) -> list[Any]:
    """`value` where it is a list; anything else holds no hooks."""
    return value if isinstance(value, list) else []
