"""Codex: hooks in ``hooks.json``, MCP servers in ``config.toml``, both in ``~/.codex`` or a project's ``.codex``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from hybridmem.coding_agents.agent import SERVER, AgentFile, Commands
from hybridmem.coding_agents.grouped_hooks import GroupedHooks
from hybridmem.coding_agents.hook_event import Kind
from hybridmem.coding_agents.place import Place
from hybridmem.coding_agents.toml_tables import with_table, without_table

TABLE = ("mcp_servers", SERVER)


class Codex(GroupedHooks):
    name = "codex"
    title = "Codex"
    followed = (
        "https://developers.openai.com/codex/hooks, and the schemas in codex-rs/hooks/schema/generated of openai/codex "
        "(read in November 2026)"
    )
    source = "codex"
    format = "codex"
    note = "Codex runs a new hook only after you have reviewed it: type /hooks in a session"
    workspace = "."
    events: ClassVar[Mapping[str, Kind]] = {"SessionStart": "start", "UserPromptSubmit": "prompt", "Stop": "reply"}
    wait = 30
    turn = "turn_id"

    def is_here(self, place: Place) -> bool:
        return self._home(place).is_dir() or place.has_program("codex")

    def files(self, place: Place) -> Sequence[AgentFile]:
        folder = place.project / ".codex" if place.scope == "project" else self._home(place)
        return (
            AgentFile(folder / "hooks.json", self.with_hooks, self.without_hooks),
            AgentFile(folder / "config.toml", _with_server, lambda text: without_table(text, TABLE)),
        )

    def _home(self, place: Place) -> Path:
        return place.named("CODEX_HOME", place.home / ".codex")


def _with_server(text: str, commands: Commands) -> str:
    if commands.mcp is None:
        return without_table(text, TABLE)
    return with_table(text, TABLE, {"command": commands.mcp[0], "args": [*commands.mcp[1:]]})
