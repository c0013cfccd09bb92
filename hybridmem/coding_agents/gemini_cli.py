"""Gemini CLI: hooks and MCP servers in ``settings.json``, in ``~/.gemini`` or a project's ``.gemini``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hybridmem.coding_agents.agent import SERVER, AgentFile, Commands
from hybridmem.coding_agents.grouped_hooks import GroupedHooks
from hybridmem.coding_agents.hook_entries import server_entry, with_server
from hybridmem.coding_agents.hook_event import Kind
from hybridmem.coding_agents.place import Place

SERVERS = ("mcpServers", SERVER)


class GeminiCli(GroupedHooks):
    name = "gemini-cli"
    title = "Gemini CLI"
    followed = "docs/hooks/reference.md and docs/tools/mcp-server.md of google-gemini/gemini-cli, at version 0.56.0"
    source = "gemini"
    format = "gemini"
    note = ""
    workspace = "."
    events: ClassVar[Mapping[str, Kind]] = {
        "SessionStart": "start",
        "BeforeAgent": "prompt",
        "AfterAgent": "reply",
        "SessionEnd": "end",
    }
    wait = 30_000
    reply = "prompt_response"

    def is_here(self, place: Place) -> bool:
        return (place.home / ".gemini").is_dir() or place.has_program("gemini")

    def files(self, place: Place) -> Sequence[AgentFile]:
        settings = (place.project if place.scope == "project" else place.home) / ".gemini" / "settings.json"
        return (AgentFile(settings, self._put, lambda text: with_server(self.without_hooks(text), SERVERS, None)),)

    def _put(self, text: str, commands: Commands) -> str:
        return with_server(self.with_hooks(text, commands), SERVERS, server_entry(commands))
