"""The plugin for opencode, run by Node with a host that plays opencode 2 and 1."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hybridmem.coding_agents import installation
from hybridmem.coding_agents.agent import Commands
from hybridmem.coding_agents.learning import learn_from_sessions
from hybridmem.coding_agents.registry import AGENTS
from hybridmem.core.text.injected import HEADER
from hybridmem.memory import HybridMemory
from tests.coding_agents.worlds import World

NODE = shutil.which("node")
HOST = Path(__file__).with_name("opencode_host.mjs")
AGENT = AGENTS["opencode"]

pytestmark = pytest.mark.skipif(NODE is None, reason="opencode's plugins are JavaScript: there is no Node to run it")


def played(world: World, version: str) -> list[str]:
    """What the prompts of the host's three sessions became."""
    plugin = AGENT.files(world.place())[0].path
    command = [str(NODE), "--experimental-default-type=module", str(HOST), str(plugin), version, str(world.project)]
    done = subprocess.run(command, capture_output=True, text=True, env=world.environ, timeout=300)
    assert done.returncode == 0, done.stderr
    prompts: list[str] = json.loads(done.stdout)
    return prompts


@pytest.mark.parametrize("version", ["2", pytest.param("1", marks=pytest.mark.slow)])
def test_a_session_knows_what_an_earlier_one_said(world: World, version: str) -> None:
    world.install(AGENT)
    first, child, second = played(world, version)
    assert first == "Which command ships the shop?"
    assert child == "You are a subagent: list the files."
    assert second.startswith(f"Which command ships the shop?\n\n{HEADER}\n- ") and "make ship" in second
    assert (
        world.remembered()
        == [
            ("user", "user", "Which command ships the shop?"),
            ("assistant", "agent", "`make ship`."),
        ]
        * 2
    )
    assert world.log == ""
    with HybridMemory.open(world.memory) as memory:
        for trace in world.memory.glob("sessions/*.trace"):
            os.utime(trace, (0, 0))
        assert learn_from_sessions(memory).sessions == 2, "the subagent's session has called, too"
        (skill,) = memory.skills()
    assert (skill.task, skill.successes) == ("Which command ships the shop?", 2)
    assert [step.text for step in skill.steps] == ['bash(command="make ship")']
    assert skill.known_by == {"the exit code": 2}


@pytest.mark.parametrize("version", ["2", "1"])
def test_a_command_that_is_not_there_or_fails_changes_nothing(world: World, version: str) -> None:
    for command in (("/nowhere/hybridmem", "hook", "opencode"), ("/bin/false",), ("/bin/echo", "no JSON")):
        installation.apply(installation.install(AGENT, world.place(), Commands(command, None)))
        assert played(world, version)[2] == "Which command ships the shop?"
