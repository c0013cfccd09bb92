"""A scratch home with coding agents in it, and the real hook command."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hybridmem.coding_agents import installation
from hybridmem.coding_agents.agent import Agent, Commands
from hybridmem.coding_agents.hook import answered
from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.installation import Plan
from hybridmem.coding_agents.place import Place, Scope
from hybridmem.coding_agents.registry import agent_named
from hybridmem.memory import HybridMemory
from tests import scripts

FOLDERS = {
    "claude-code": ".claude",
    "codex": ".codex",
    "cursor": ".cursor",
    "gemini-cli": ".gemini",
    "opencode": ".config/opencode",
}
"""What says, in a home, that an agent is there."""


@dataclass(frozen=True)
class World:
    """One user's home and one project."""

    root: Path
    as_agents_do: bool = False
    """Whether every hook is a process, and not those alone that fail."""

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def project(self) -> Path:
        return self.root / "shop"

    @property
    def memory(self) -> Path:
        return self.home / ".hybridmem"

    @classmethod
    def made(cls, root: Path, *agents: str) -> World:
        """With these agents' folders, empty."""
        world = cls(root)
        (world.project / ".git").mkdir(parents=True)
        for name in agents:
            (world.home / FOLDERS[name]).mkdir(parents=True)
        return world

    def place(self, scope: Scope = "user") -> Place:
        return Place(scope, self.home, self.project, {"PATH": ""})

    def commands(self, agent: Agent, *options: str) -> Commands:
        start = (sys.executable, "-m", "hybridmem.cli")
        return Commands(
            (*start, "hook", agent.name, "--memory", str(self.memory), *options),
            (*start, "mcp", "--memory", str(self.memory), "--namespace", "default"),
        )

    def install(self, agent: Agent, scope: Scope = "user", *options: str) -> Plan:
        plan = installation.install(agent, self.place(scope), self.commands(agent, *options))
        installation.apply(plan)
        return plan

    def uninstall(self, agent: Agent, scope: Scope = "user") -> Plan:
        plan = installation.uninstall(agent, self.place(scope))
        installation.apply(plan)
        return plan

    def files(self) -> dict[str, bytes]:
        """Everything below the root, memory aside: files by their path, folders with nothing for their bytes."""
        return {
            str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.root.rglob("*"))
            if self.memory not in (path, *path.parents)
        }

    @property
    def environ(self) -> dict[str, str]:
        """The variables of an agent's hooks."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "OMP_NUM_THREADS") if name in os.environ}
        return {**kept, "HOME": str(self.home)}

    def hook(self, command: str, event: Mapping[str, Any] | bytes, **environ: str) -> Any:
        """What the hook's `command` prints for an event, as an object; None where it prints nothing."""
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        words = shlex.split(command)
        if not self.as_agents_do:
            with suppress(Exception), patch.dict("os.environ", {**self.environ, **environ}, clear=True):
                said = self._answered(words, raw)
                return json.loads(said) if said else None
        done = scripts.run_command(words, raw, cwd=self.project, env={**self.environ, **environ})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    @staticmethod
    def _answered(words: list[str], raw: bytes) -> str:
        """As the command does it once it runs, in milliseconds. Whatever this raises is the command's to deal with."""
        name, *options = words[words.index("hook") + 1 :]
        return answered(agent_named(name), raw, HookSettings.of(options), os.environ).text

    @property
    def log(self) -> str:
        """What the hooks complained of."""
        file = self.home / ".local" / "state" / "hybridmem" / "hooks.log"
        return file.read_text("utf-8") if file.exists() else ""

    def remembered(self, *namespace: str) -> list[tuple[str, str, str]]:
        """(role, trust, text) of every episode."""
        with HybridMemory.open(self.memory, namespace=namespace or "default") as memory:
            episodes = memory.ledger.episodes(memory.namespace)
        return [(each.role, each.trust, each.text) for each in episodes]
