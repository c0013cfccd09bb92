"""Cursor: hooks in ``hooks.json``, MCP servers in ``mcp.json``, both in ``~/.cursor`` or a project's ``.cursor``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybridmem.coding_agents import jsonc
from hybridmem.coding_agents.agent import SERVER, AgentFile, Commands
from hybridmem.coding_agents.hook_entries import server_entry, with_hooks, with_server, without_hooks
from hybridmem.coding_agents.hook_event import Called, HookEvent, Kind, object_of, said, session_of, text_of
from hybridmem.coding_agents.place import Place

SERVERS = ("mcpServers", SERVER)
VERSION = 1
"""Of the form of ``hooks.json``."""
EVENTS: Mapping[str, Kind] = {
    "sessionStart": "start",
    "beforeSubmitPrompt": "prompt",
    "postToolUse": "call",
    "postToolUseFailure": "call",
    "afterAgentResponse": "reply",
    "sessionEnd": "end",
}
SECONDS = 30
"""How long Cursor waits for a hook."""


class Cursor:
    name = "cursor"
    title = "Cursor"
    followed = (
        "https://cursor.com/docs/hooks and /mcp, for Cursor 3.20 (read in November 2026); that beforeSubmitPrompt "
        "takes additional_context is not in them, and is what that version does"
    )
    source = "cursor"
    format = None
    note = ""
    workspace = "${workspaceFolder}"

    def is_here(self, place: Place) -> bool:
        return (place.home / ".cursor").is_dir() or place.has_program("cursor") or place.has_program("cursor-agent")

    def files(self, place: Place) -> Sequence[AgentFile]:
        folder = (place.project if place.scope == "project" else place.home) / ".cursor"
        bare = ("", "{}", f'{{"version":{VERSION}}}')
        return (
            AgentFile(folder / "hooks.json", _with_hooks, lambda text: without_hooks(text, self.name), bare),
            AgentFile(folder / "mcp.json", _with_server, lambda text: with_server(text, SERVERS, None)),
        )

    def event(self, given: Mapping[str, Any]) -> HookEvent:
        name = text_of(given, "hook_event_name")
        kind = EVENTS.get(name, "other")
        turn = text_of(given, "generation_id")
        prompt = text_of(given, "prompt") if kind == "prompt" else ""
        reply = text_of(given, "text") if kind == "reply" else ""
        roots = given.get("workspace_roots")
        root = (
            next((each for each in roots if isinstance(each, str) and each), None) if isinstance(roots, list) else None
        )
        return HookEvent(
            kind,
            name,
            session_of(given, "conversation_id", "session_id"),
            Path(root) if root is not None else Path.cwd(),
            prompt,
            (*said("user", prompt, turn), *said("assistant", reply, turn)),
            _calls(given, failed=name == "postToolUseFailure") if kind == "call" else (),
        )

    def answer(self, event: HookEvent, context: str) -> dict[str, Any]:
        added = {"additional_context": context}
        return {"continue": True, **added} if event.kind == "prompt" else added


def _calls(given: Mapping[str, Any], *, failed: bool) -> tuple[Called, ...]:
    """The call that the event tells of. What the user stopped or did not allow says nothing of the call."""
    tool = text_of(given, "tool_name")
    if not tool:
        return ()
    arguments = object_of(given.get("tool_input"))
    if failed:
        stopped = given.get("is_interrupt") is True or given.get("failure_type") == "permission_denied"
        return (Called(tool, arguments, {} if stopped else {"success": False}, text_of(given, "error_message")),)
    said = given.get("tool_output")
    text = said if isinstance(said, str) else json.dumps(said)
    return (Called(tool, arguments, {"success": True, **object_of(said)}, _words(object_of(said)) or text),)


def _words(output: Mapping[str, Any]) -> str:
    """What the tool printed, where its output is an object with that in it."""
    return "\n".join(each for name in ("output", "stdout", "stderr") if isinstance(each := output.get(name), str))


def _with_hooks(text: str, commands: Commands) -> str:
    if "version" not in jsonc.parse(text):
        text = jsonc.with_member(text, ("version",), VERSION)
    entry = {"command": shlex.join(commands.hook), "timeout": SECONDS}
    return with_hooks(text, dict.fromkeys(EVENTS, entry), Cursor.name)


def _with_server(text: str, commands: Commands) -> str:
    return with_server(text, SERVERS, server_entry(commands))
