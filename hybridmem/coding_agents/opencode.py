"""opencode: a plugin in ``plugins/hybridmem.js``, MCP servers in ``opencode.json`` or ``opencode.jsonc``.

opencode has no hooks that run commands. Its plugins are JavaScript: this one hands each event to ``hybridmem hook`` and
puts what that prints behind the user's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from hybridmem.coding_agents.agent import SERVER, AgentFile, Commands
from hybridmem.coding_agents.hook_entries import with_server
from hybridmem.coding_agents.hook_event import Called, HookEvent, Kind, object_of, path_of, said, session_of, text_of
from hybridmem.coding_agents.place import Place
from hybridmem.core.errors import InvalidInput

SERVERS = ("mcp", SERVER)
EVENTS: Mapping[str, Kind] = {"start": "start", "prompt": "prompt", "reply": "reply"}
PLUGIN = "opencode_plugin.js"
_MARK = "// Written by `hybridmem install opencode`"
_COMMAND = "const COMMAND = []"


class OpenCode:
    name = "opencode"
    title = "opencode"
    followed = (
        "https://opencode.ai/v2/docs/build/plugins and /v1/docs/plugins, for opencode 2.0 and 1.18.29 or newer "
        "(read in November 2026)"
    )
    source = "opencode"
    format = None
    note = ""
    workspace = "."

    def is_here(self, place: Place) -> bool:
        return self._folder(place).is_dir() or place.has_program("opencode")

    def files(self, place: Place) -> Sequence[AgentFile]:
        project = place.scope == "project"
        plugins = place.project / ".opencode" if project else self._folder(place)
        settings = place.project if project else self._folder(place)
        names = [settings / "opencode.jsonc", settings / "opencode.json"]
        return (
            AgentFile(plugins / "plugins" / "hybridmem.js", _with_plugin, _without_plugin),
            AgentFile(
                next((each for each in names if each.exists()), names[1]),
                _with_server,
                lambda text: with_server(text, SERVERS, None),
            ),
        )

    def event(self, given: Mapping[str, Any]) -> HookEvent:
        name = text_of(given, "event")
        kind = EVENTS.get(name, "other")
        prompt = text_of(given, "prompt")
        return HookEvent(
            kind,
            name,
            session_of(given, "session"),
            path_of(given, "cwd") or Path.cwd(),
            prompt if kind == "prompt" else "",
            (
                *said("user", prompt if kind == "prompt" else "", text_of(given, "message")),
                *(
                    each
                    for reply in _objects(given.get("replies"))
                    for each in said("assistant", text_of(reply, "text"), text_of(reply, "message"))
                ),
            ),
            tuple(_call(each) for each in _objects(given.get("calls")) if text_of(each, "tool")),
        )

    def answer(self, event: HookEvent, context: str) -> dict[str, Any]:
        return {"context": context}

    def _folder(self, place: Place) -> Path:
        return place.named("XDG_CONFIG_HOME", place.home / ".config") / "opencode"


def _call(given: Mapping[str, Any]) -> Called:
    """A call as the plugin tells it: an exit code where a command ran."""
    result: dict[str, Any] = {"success": given["ok"]} if isinstance(given.get("ok"), bool) else {}
    if isinstance(given.get("exit"), int):
        result["exit_code"] = given["exit"]
    return Called(text_of(given, "tool"), object_of(given.get("input")), result, text_of(given, "output"))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _with_plugin(text: str, commands: Commands) -> str:
    """The plugin's source, with the command that it runs. Raises `InvalidInput` where another file has its name."""
    if text and _without_plugin(text):
        raise InvalidInput("it is no plugin of hybridmem's")
    source = files("hybridmem.coding_agents").joinpath(PLUGIN).read_text("utf-8")
    return source.replace(_COMMAND, f"const COMMAND = {json.dumps([*commands.hook])}")


def _without_plugin(text: str) -> str:
    return "" if text.startswith(_MARK) else text


def _with_server(text: str, commands: Commands) -> str:
    entry = None if commands.mcp is None else {"type": "local", "command": [*commands.mcp], "enabled": True}
    return with_server(text, SERVERS, entry)
