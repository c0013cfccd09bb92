"""Skills from scripted sessions of each agent: what was done in one session is known in the next, without a command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.learning import LearnedSessions, learn_from_sessions
from hybridmem.coding_agents.registry import AGENTS
from hybridmem.core.errors import InvalidInput
from hybridmem.core.skills import Skill
from hybridmem.importers import ImportReport
from hybridmem.memory import HybridMemory
from tests.coding_agents.scripted import SESSIONS, Call, Session
from tests.coding_agents.worlds import World

EVERY = pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
BUILT: Call = ("build", {"service": "alpha"}, "built", True)
LOST: Call = ("push", {"env": "stage"}, "no such environment", False)
PUSHED: Call = ("push", {"env": "staging"}, "pushed", True)
TASK = "Deploy alpha to staging."


def session(world: World, agent: Agent, id: str) -> Session:
    return SESSIONS[agent.name](world, agent, id)


def deployed(world: World, agent: Agent, id: str = "s1", word: str = "Thanks, that worked!") -> Session:
    """A session that deployed, with a wrong turn on the way, and is over."""
    one = session(world, agent, id)
    one.start()
    one.say(TASK, "Deployed.", BUILT, LOST, PUSHED)
    if word:
        one.say(word, "You are welcome.")
    one.end()
    one.age()
    return one


def learned(world: World) -> LearnedSessions:
    with HybridMemory.open(world.memory) as memory:
        return learn_from_sessions(memory)


def skills(world: World) -> list[Skill]:
    with HybridMemory.open(world.memory, embedder="hashing") as memory:
        return memory.skills(failed=True)


@EVERY
def test_what_a_session_did_is_known_in_the_next(world: World, agent: Agent) -> None:
    world.install(agent)
    deployed(world, agent)
    report = learned(world)
    assert (report.sessions, report.runs, report.broken) == (1, 1, ())
    assert not list(world.memory.glob("sessions/*.trace"))
    (skill,) = skills(world)
    assert skill.task == "Deploy {service} to {env}"
    assert [step.text for step in skill.steps] == ['build(service="{service}")', 'push(env="{env}")']
    assert (skill.successes, skill.failures, dict(skill.known_by)) == (1, 0, {"the user's word": 1})
    given = session(world, agent, "s2").say("Deploy alpha to staging again, please.", "Done.")
    assert 'build(service="{service}")' in given
    assert learned(world) == LearnedSessions(0, 0, (), ())
    assert world.log == ""


@EVERY
def test_what_failed_counts_against_it(world: World, agent: Agent) -> None:
    world.install(agent)
    deployed(world, agent)
    one = session(world, agent, "s2")
    one.start()
    one.say(TASK, "It did not work out.", BUILT, ("push", {"env": "staging"}, "denied", False))
    one.end()
    one.age()
    assert learned(world).sessions == 2
    (skill,) = skills(world)
    assert (skill.successes, skill.failures) == (1, 1)


@EVERY
def test_a_session_that_goes_on_waits(world: World, agent: Agent) -> None:
    world.install(agent)
    one = session(world, agent, "s1")
    one.start()
    one.say(TASK, "Deployed.", BUILT, PUSHED)
    assert learned(world).sessions == 0
    one.say("That did not work.", "Oh.")
    one.age()
    assert learned(world).runs == 1
    (skill,) = skills(world)
    assert (skill.successes, skill.failures) == (0, 1), "the user's word outweighs the tool's"


@EVERY
def test_a_session_that_is_taken_up_again_is_read_on(world: World, agent: Agent) -> None:
    world.install(agent)
    one = deployed(world, agent)
    assert learned(world).runs == 1
    one.start("resume")
    one.say("Restart beta.", "Restarted.", ("restart", {"service": "beta"}, "ok", True))
    one.end()
    one.age()
    assert learned(world).runs == 1
    assert sorted(each.task for each in skills(world)) == ["Deploy {service} to {env}", "Restart {service}"]


@EVERY
def test_calls_are_left_alone_where_the_user_says_so(world: World, agent: Agent) -> None:
    world.install(agent, "user", "--skills", "off")
    deployed(world, agent)
    assert not list(world.memory.glob("sessions/*.trace"))
    world.install(agent)
    (world.project / ".hybridmemignore").touch()
    deployed(world, agent, "s2")
    assert learned(world).sessions == 0 and skills(world) == []


@pytest.mark.parametrize("agent", [AGENTS["cursor"], AGENTS["claude-code"]], ids=["cursor", "claude-code"])
def test_a_skill_that_was_deleted_does_not_come_back_with_the_session(world: World, agent: Agent) -> None:
    world.install(agent)
    one = deployed(world, agent)
    learned(world)
    with HybridMemory.open(world.memory, embedder="hashing") as memory:
        for fact in memory.skills()[0].facts:
            memory.delete(fact)
    one.start("resume")
    one.say("What was it?", "A deployment.")
    one.end()
    one.age()
    assert learned(world).runs == 0 and skills(world) == []


@pytest.mark.parametrize("agent", [AGENTS["cursor"], AGENTS["claude-code"]], ids=["cursor", "claude-code"])
def test_a_request_that_was_erased_carries_nothing(world: World, agent: Agent) -> None:
    world.install(agent)
    deployed(world, agent)
    with HybridMemory.open(world.memory, embedder="hashing") as memory:
        (request,) = [each for each in memory.ledger.episodes(memory.namespace) if each.text == TASK]
        memory.delete(request.id)
    assert learned(world).runs == 0 and skills(world) == []


def test_secrets_and_long_texts_are_in_no_file(world: World) -> None:
    agent = AGENTS["cursor"]
    world.install(agent)
    one = session(world, agent, "s1")
    secrets = {"password": "hunter2horse", "url": "https://ana:pass4word@example.com", "patch": "one line\nand more"}
    one.say("Log in.", "Done.", ("login", secrets, "ok: hunter2horse", True))
    held = b"".join(path.read_bytes() for path in world.memory.rglob("*") if path.is_file())
    assert b'"tool": "login"' in held
    assert not any(secret in held for secret in (b"hunter2horse", b"pass4word", b"and more"))


def test_what_the_user_stopped_says_nothing(world: World) -> None:
    agent = AGENTS["cursor"]
    world.install(agent)
    one = session(world, agent, "s1")
    one.say("Clean up.", "Stopped.")
    event = {"hook_event_name": "postToolUseFailure", "tool_name": "Shell", "tool_input": {"command": "rm -r build"}}
    one.tell({**event, "is_interrupt": True, **one.base(1)})  # type: ignore[attr-defined]
    one.tell({**event, "failure_type": "permission_denied", **one.base(1)})  # type: ignore[attr-defined]
    one.end()
    assert learned(world).sessions == 1 and skills(world) == []


def test_a_log_that_cannot_be_read_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = AGENTS["claude-code"]
    world.install(agent)
    broken = deployed(world, agent)
    deployed(world, agent, "s2")
    add_from = HybridMemory.add_from

    def refuse(memory: HybridMemory, path: Path, **options: Any) -> ImportReport:
        if path == broken.log:
            raise InvalidInput("it cannot be read")
        return add_from(memory, path, **options)

    monkeypatch.setattr(HybridMemory, "add_from", refuse)
    report = learned(world)
    assert report.runs == 1 and report.broken == ("claude-code: it cannot be read",)
    assert learned(world) == LearnedSessions(0, 0, (), ()), "it is not complained of again"


def test_the_hook_has_a_process_of_its_own_learn(world: World) -> None:
    agent = AGENTS["claude-code"]
    world.install(agent)
    deployed(world, agent)
    real = session(replace(world, as_agents_do=True), agent, "s1")
    real.end()
    until = time.monotonic() + 600
    while not list(skills(world)) and time.monotonic() < until:
        time.sleep(1)
    (skill,) = skills(world)
    assert skill.successes == 1 and world.log == ""


def test_a_process_that_cannot_be_started_leaves_the_agent_alone(world: World) -> None:
    agent = AGENTS["claude-code"]
    world.install(agent)
    event = {"hook_event_name": "SessionEnd", **deployed(world, agent).common}
    lost = "import sys; from hybridmem.coding_agents import hook_command; sys.executable = '/nowhere'; hook_command.run"
    command = [sys.executable, "-c", f"{lost}(['claude-code', '--memory', {str(world.memory)!r}])"]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, env=world.environ)
    assert (done.returncode, done.stdout) == (0, "")
    assert "claude-code: FileNotFoundError" in world.log
