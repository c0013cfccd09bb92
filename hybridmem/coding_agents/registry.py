"""The coding agents by name. A new one is one more file, and one more line here."""

from __future__ import annotations

from collections.abc import Mapping

from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.claude_code import ClaudeCode
from hybridmem.coding_agents.codex import Codex
from hybridmem.coding_agents.cursor import Cursor
from hybridmem.coding_agents.gemini_cli import GeminiCli
from hybridmem.coding_agents.opencode import OpenCode
from hybridmem.core.errors import InvalidInput

AGENTS: Mapping[str, Agent] = {each.name: each for each in (ClaudeCode(), Codex(), Cursor(), GeminiCli(), OpenCode())}


def agent_named(name: str) -> Agent:
    """The agent of that name. Raises `InvalidInput`."""
    if name not in AGENTS:
        raise InvalidInput(f"no coding agent is called {name!r}: choose among {', '.join(AGENTS)}")
    return AGENTS[name]
