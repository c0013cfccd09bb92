"""Claude Code: hooks in ``settings.json``, MCP servers in ``.claude.json`` and a project's ``.mcp.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from hybridmem.coding_agents.agent import SERVER, AgentFile, Commands
from hybridmem.coding_agents.grouped_hooks import GroupedHooks
from hybridmem.coding_agents.hook_entries import server_entry, with_server
from hybridmem.coding_agents.hook_event import HookEvent, Kind, text_of
from hybridmem.coding_agents.place import Place

SERVERS = ("mcpServers", SERVER)


class ClaudeCode(GroupedHooks):
    name = "claude-code"
    title = "Claude Code"
    followed = "https://code.claude.com/docs/en/hooks and /settings, for Claude Code 2.1 (read in November 2026)"
    source = "claude-code"
    format = "claude-code"
    note = ""
    workspace = "."
    events: ClassVar[Mapping[str, Kind]] = {
        "SessionStart": "start",
        "UserPromptSubmit": "prompt",
        "Stop": "reply",
        "SessionEnd": "end",
    }
    wait = 30
    turn = "prompt_id"

    def is_here(self, place: Place) -> bool:
        return self._folder(place).is_dir() or place.has_program("claude")

    def files(self, place: Place) -> Sequence[AgentFile]:
        if place.scope == "project":
            settings, servers = place.project / ".claude" / "settings.json", place.project / ".mcp.json"
        else:
            folder = self._folder(place)
            settings = folder / "settings.json"
            servers = (folder if "CLAUDE_CONFIG_DIR" in place.environ else place.home) / ".claude.json"
        return (
            AgentFile(settings, self.with_hooks, self.without_hooks),
            AgentFile(servers, _with_server, lambda text: with_server(text, SERVERS, None)),
        )

    def event(self, given: Mapping[str, Any]) -> HookEvent:
        event = super().event(given)
        # A subagent is asked by its agent: its prompt is no user's word.
        return replace(event, kind="other") if text_of(given, "agent_id") else event

    def _folder(self, place: Place) -> Path:
        return place.named("CLAUDE_CONFIG_DIR", place.home / ".claude")


def _with_server(text: str, commands: Commands) -> str:
    return with_server(text, SERVERS, server_entry(commands, type="stdio"))
