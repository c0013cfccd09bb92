"""Each agent's files on a scratch home: installed, installed again, and undone without a trace."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.coding_agents import installation, jsonc, receipt
from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.place import Scope
from hybridmem.coding_agents.registry import AGENTS
from hybridmem.core.errors import InvalidInput
from tests.coding_agents.worlds import World

EVERY = pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
SCOPES = pytest.mark.parametrize("scope", ["user", "project"])

SETTINGS = """{
  // mine
  "theme": "dark",
  "hooks": {
    "SessionStart": [{"matcher": "startup", "hooks": [{"type": "command", "command": "date"}]}], // the date
    "Stop": [
      {"hooks": [{"type": "command", "command": "notify-send done"}]}
    ]
  },
  "mcpServers": {
    "files": { "command": "npx", "args": ["files"] }
  }
}"""
CURSOR_HOOKS = '{"version": 1, "hooks": {"stop": [{"command": "./done.sh"}]}}\n'
TOML = (
    '# mine\nmodel = "o" # the large one\n\n[mcp_servers.files]\ncommand = "npx"\n\n'
    '[projects."/src"]\ntrust_level = "trusted"'
)
OTHERS: dict[str, str] = {
    "settings.json": SETTINGS,
    ".claude.json": '{"numStartups": 3, "projects": {"/src": {"history": ["secret prompt"]}}}',
    ".mcp.json": '{\n\t"mcpServers": {\n\t\t"files": {"command": "npx"},\n\t},\n}\n',
    "hooks.json": CURSOR_HOOKS,
    "config.toml": TOML,
    "mcp.json": "{}",
    "opencode.json": '{\r\n  "$schema": "https://opencode.ai/config.json",\r\n  "mcp": {}\r\n}\r\n',
}
"""What others have written into files of these names."""


def filled(world: World, agent: Agent, scope: Scope) -> None:
    for file in agent.files(world.place(scope)):
        if file.path.name in OTHERS:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_bytes(OTHERS[file.path.name].encode())


def commands_in(file: Path) -> list[str]:
    """Every command of a hook in a JSON file."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("command"), str):
                found.append(value["command"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(jsonc.parse(file.read_text("utf-8")).get("hooks"))
    return found


@EVERY
@SCOPES
@pytest.mark.parametrize("there", [False, True], ids=["new", "filled"])
def test_installed_twice_and_undone_to_the_byte(world: World, agent: Agent, scope: Scope, there: bool) -> None:
    if there:
        filled(world, agent, scope)
    before = world.files()
    world.install(agent, scope)
    written = world.files()
    assert written != before
    assert installation.install(agent, world.place(scope), world.commands(agent)).changes == ()
    world.install(agent, scope)
    assert world.files() == written
    world.uninstall(agent, scope)
    assert world.files() == before
    assert world.uninstall(agent, scope).changes == ()


@EVERY
@SCOPES
def test_others_entries_comments_and_order_stay(world: World, agent: Agent, scope: Scope) -> None:
    filled(world, agent, scope)
    world.install(agent, scope)
    for file in agent.files(world.place(scope)):
        text = file.path.read_bytes().decode()
        mine = OTHERS.get(file.path.name, "")
        assert len(text) > len(mine)
        rest = iter(text)
        assert all(each in rest for each in mine), file.path  # every character, in its order


@EVERY
@SCOPES
def test_an_agent_that_is_not_there_is_said(tmp_path: Path, agent: Agent, scope: Scope) -> None:
    world = World.made(tmp_path)
    world.home.mkdir()
    with pytest.raises(InvalidInput, match=f"{agent.title} is not on this machine"):
        world.install(agent, scope)
    assert world.uninstall(agent, scope).changes == ()


def test_a_program_in_the_path_is_enough(tmp_path: Path) -> None:
    world = World.made(tmp_path)
    program = tmp_path / "bin" / "codex"
    program.parent.mkdir()
    program.touch(0o755)
    place = replace(world.place(), environ={"PATH": str(program.parent)})
    plan = installation.install(AGENTS["codex"], place, world.commands(AGENTS["codex"]))
    assert [change.path.name for change in plan.changes] == ["hooks.json", "config.toml"]


@EVERY
@SCOPES
def test_a_file_that_is_not_in_its_format_is_named_and_left_alone(world: World, agent: Agent, scope: Scope) -> None:
    for file in agent.files(world.place(scope)):
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text("{ this is = nothing", "utf-8")
        before = world.files()
        for attempt in (world.install, world.uninstall):
            if attempt == world.uninstall and file.path.suffix == ".js":
                continue
            with pytest.raises(InvalidInput, match=f"{file.path.name}: .*left alone"):
                attempt(agent, scope)
        assert world.files() == before
        file.path.unlink()


def test_bytes_that_are_no_text_are_left_alone(world: World) -> None:
    (world.home / ".claude" / "settings.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        world.install(AGENTS["claude-code"])


@EVERY
def test_what_changed_meanwhile_is_kept(world: World, agent: Agent) -> None:
    """The agent itself, or the user, writes into the same files between the two."""
    filled(world, agent, "user")
    clean = {file.path: file.path.read_text("utf-8") for file in agent.files(world.place()) if file.path.exists()}
    world.install(agent)
    for file in agent.files(world.place()):
        text = file.path.read_text("utf-8")
        if file.path.suffix == ".toml":
            file.path.write_text("new = true\n" + text + "\n[mine]\nx = 1\n", "utf-8")
        elif file.path.suffix != ".js":
            file.path.write_text(jsonc.with_member(text, ("mine",), {"x": [1]}), "utf-8")
    world.uninstall(agent)
    for path, text in clean.items():
        after = path.read_text("utf-8")
        assert "hybridmem" not in after
        if path.suffix == ".toml":
            assert tomllib.loads(after) == {"new": True, **tomllib.loads(text), "mine": {"x": 1}}
        else:
            expected = {**jsonc.parse(text), "mine": {"x": [1]}}
            assert jsonc.parse(after) == {name: each for name, each in expected.items() if each != {}}
    assert not receipt.location(agent.name, world.place()).exists()


@EVERY
def test_without_the_receipt_it_is_undone_by_what_its_entries_look_like(world: World, agent: Agent) -> None:
    filled(world, agent, "user")
    world.install(agent)
    receipt.location(agent.name, world.place()).unlink()
    world.uninstall(agent)
    for file in agent.files(world.place()):
        assert not file.path.exists() or "hybridmem" not in file.path.read_text("utf-8")


@EVERY
def test_other_settings_take_the_place_of_the_old_ones(world: World, agent: Agent) -> None:
    filled(world, agent, "user")
    before = world.files()
    world.install(agent)
    world.install(agent, "user", "--budget", "100")
    texts = [file.path.read_text("utf-8") for file in agent.files(world.place())]
    hooks = sum(text.count(f"hook {agent.name} ") + text.count(f'"hook", "{agent.name}"') for text in texts)
    assert sum(text.count("--budget") for text in texts) == hooks > 0
    world.uninstall(agent)
    assert world.files() == before


def test_two_agents_do_not_know_of_each_other(world: World) -> None:
    before = world.files()
    for agent in AGENTS.values():
        world.install(agent)
    for agent in AGENTS.values():
        assert installation.install(agent, world.place(), world.commands(agent)).changes == ()
    for agent in AGENTS.values():
        world.uninstall(agent)
    assert world.files() == before


def test_a_hook_that_somebody_put_beside_ours_stays(world: World) -> None:
    agent = AGENTS["claude-code"]
    world.install(agent)
    file = world.home / ".claude" / "settings.json"
    found = json.loads(file.read_text("utf-8"))
    found["hooks"]["Stop"][0]["hooks"].insert(0, {"type": "command", "command": "make lint"})
    file.write_text(json.dumps(found), "utf-8")
    world.uninstall(agent)
    left = json.loads(file.read_text("utf-8"))
    assert list(left["hooks"]) == ["Stop"]
    assert "make lint" in commands_in(file)


def test_the_receipt_holds_nothing_of_others(world: World) -> None:
    agent = AGENTS["claude-code"]
    filled(world, agent, "user")
    world.install(agent)
    kept = receipt.location(agent.name, world.place())
    assert "secret prompt" not in kept.read_text("utf-8")
    assert kept.stat().st_mode & 0o077 == 0


def test_links_and_permissions_stay(world: World) -> None:
    target = world.root / "dotfiles" / "settings.json"
    target.parent.mkdir()
    target.write_text("{}", "utf-8")
    target.chmod(0o600)
    link = world.home / ".claude" / "settings.json"
    link.symlink_to(target)
    world.install(AGENTS["claude-code"])
    assert link.is_symlink()
    assert "hybridmem" in target.read_text("utf-8")
    assert target.stat().st_mode & 0o777 == 0o600
    world.uninstall(AGENTS["claude-code"])
    assert target.read_text("utf-8") == "{}"


def test_a_file_that_changes_between_the_look_and_the_writing_is_not_overwritten(world: World) -> None:
    agent = AGENTS["claude-code"]
    plan = installation.install(agent, world.place(), world.commands(agent))
    file = world.home / ".claude" / "settings.json"
    file.write_text('{"theme": "light"}', "utf-8")
    with pytest.raises(InvalidInput, match="changed meanwhile"):
        installation.apply(plan)
    assert file.read_text("utf-8") == '{"theme": "light"}'


@pytest.mark.parametrize(
    ("agent", "variable", "folder"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "claude"),
        ("codex", "CODEX_HOME", "codex"),
        ("opencode", "XDG_CONFIG_HOME", "config"),
    ],
)
def test_an_agents_own_variable_says_where_its_files_are(world: World, agent: str, variable: str, folder: str) -> None:
    place = replace(world.place(), environ={variable: str(world.root / folder), "PATH": ""})
    files = AGENTS[agent].files(place)
    assert all(file.path.is_relative_to(world.root / folder) for file in files)
    assert not AGENTS[agent].is_here(place)


def test_the_diff_is_one_that_patch_takes(world: World) -> None:
    agent = AGENTS["claude-code"]
    filled(world, agent, "user")
    plan = installation.install(agent, world.place(), world.commands(agent))
    (hooks, servers) = plan.changes
    assert hooks.diff().startswith(f"--- {hooks.path}\n+++ {hooks.path}\n@@")
    assert "secret prompt" not in servers.diff() or "\n" not in OTHERS[".claude.json"]
    assert "\\ No newline at end of file" in servers.diff()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_an_error_and_stays(world: World) -> None:
    folder = world.home / ".claude"
    folder.chmod(0o500)
    try:
        with pytest.raises(OSError):
            world.install(AGENTS["claude-code"])
    finally:
        folder.chmod(0o700)
    assert list(folder.iterdir()) == []


_WORDS = st.sampled_from(["date", "hybridmem-like", "make lint", "hybridmem add x", "hook claude-code"])
_GROUPS = st.lists(
    st.builds(
        lambda words: {"hooks": [{"type": "command", "command": each} for each in words]}, st.lists(_WORDS, max_size=2)
    ),
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.dictionaries(st.sampled_from(["SessionStart", "Stop", "PreToolUse"]), _GROUPS), st.sampled_from([None, 2, "\t"])
)
def test_whatever_hooks_others_have_they_stay(
    tmp_path_factory: pytest.TempPathFactory, hooks: dict[str, Any], indent: Any
) -> None:
    world = World.made(tmp_path_factory.mktemp("world"), "claude-code")
    file = world.home / ".claude" / "settings.json"
    file.write_text(json.dumps({"hooks": hooks, "x": 1}, indent=indent), "utf-8")
    before = world.files()
    world.install(AGENTS["claude-code"])
    theirs = json.loads(file.read_text("utf-8"))["hooks"]
    for name, groups in hooks.items():
        assert theirs[name][: len(groups)] == groups
    world.uninstall(AGENTS["claude-code"])
    assert world.files() == before


def test_every_agent_says_what_it_followed() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "coding-agents.md").read_text("utf-8")
    check: Callable[[Agent], bool] = lambda agent: agent.title in guide and f"install {agent.name}" in guide  # noqa: E731
    assert all(map(check, AGENTS.values()))
