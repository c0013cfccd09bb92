"""`install`, `uninstall` and `hook` as a user types them, on a scratch home."""

from __future__ import annotations

import io
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridmem.cli.app import run
from hybridmem.coding_agents.agent import Commands
from hybridmem.coding_agents.place import Place
from hybridmem.coding_agents.registry import AGENTS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    (made / ".claude").mkdir(parents=True)
    project = tmp_path / "shop"
    (project / ".git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(made))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(project)
    return made


def command_of(home: Path) -> list[str]:
    found = json.loads((home / ".claude" / "settings.json").read_text("utf-8"))
    return shlex.split(found["hooks"]["Stop"][0]["hooks"][0]["command"])


def test_it_is_shown_first_and_written_with_a_yes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "claude-code"]) == 1
    shown = capsys.readouterr().out
    assert "+++ " in shown and "nothing was written" in shown
    assert list((home / ".claude").iterdir()) == []
    assert run(["install", "claude-code", "--yes"]) == 0
    assert f"wrote {home}/.claude/settings.json" in capsys.readouterr().out
    words = command_of(home)
    assert words[-4:] == ["hook", "claude-code", "--memory", str(home / ".hybridmem")]
    assert run(["install", "claude-code"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert run(["uninstall", "claude-code"]) == 1
    assert run(["uninstall", "claude-code", "--yes"]) == 0
    assert list(home.rglob("*")) == [home / ".claude"]
    capsys.readouterr()
    assert run(["uninstall", "claude-code"]) == 0
    assert "nothing of hybridmem" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_on_a_terminal_it_asks(home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    stdin = io.StringIO(answer)
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run(["install", "claude-code"]) == code
    assert (home / ".claude" / "settings.json").exists() is (code == 0)


def test_for_programs_it_is_one_object(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "claude-code", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["agent"], shown["scope"], shown["applied"]) == ("claude-code", "user", False)
    assert all(change["diff"].startswith("---") for change in shown["changes"])
    assert run(["install", "claude-code", "--json", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] is True


def test_the_options_are_in_the_command(home: Path) -> None:
    options = ["--namespace", "users/ana", "--by", "project", "--budget", "100", "--server", "http://127.0.0.1:1"]
    assert run(["install", "claude-code", "--yes", "--memory", "here", "--redact", "store", *options]) == 0
    expected = ["--memory", str(Path("here").absolute()), *options, "--redact", "store"]
    assert command_of(home)[-len(expected) :] == expected
    served = json.loads((home / ".claude.json").read_text("utf-8"))["mcpServers"]["hybridmem"]["args"]
    assert served[-6:] == ["--memory", str(Path("here").absolute()), "--namespace", "users/ana", "--project", "."]


def test_without_the_mcp_sdk_the_entry_is_left_out_and_that_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hybridmem.cli.coding_agents.find_spec", lambda name: None)
    assert run(["install", "claude-code", "--yes"]) == 0
    assert "hybridmem[mcp]" in capsys.readouterr().out
    assert not (home / ".claude.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("install", "emacs"), "choose among claude-code"),
        (("uninstall", "emacs"), "choose among claude-code"),
        (("install", "codex"), "Codex is not on this machine"),
        (("install", "claude-code", "--budget", "-1"), "--budget"),
        (("install", "claude-code", "--scope", "world"), "--scope"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_file_that_is_no_json_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / ".claude" / "settings.json"
    file.write_text("{oops", "utf-8")
    assert run(["install", "claude-code", "--yes"]) == 2
    assert str(file) in capsys.readouterr().err
    assert file.read_text("utf-8") == "{oops"


def test_the_help_names_every_agent(capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown for name in AGENTS)


def held(shown: Any, written: Any) -> bool:
    """Whether all of `shown` is in `written`: of objects, each member that is shown."""
    if isinstance(shown, dict) and isinstance(written, dict):
        return all(name in written and held(each, written[name]) for name, each in shown.items())
    return bool(shown == written)


def test_the_guide_shows_what_is_written(home: Path) -> None:
    """The files of the guide, but for the program's path."""
    guide = (Path(__file__).parents[2] / "docs" / "coding-agents.md").read_text("utf-8")
    memory = "/home/ana/.hybridmem"
    served = ("hybridmem", "mcp", "--memory", memory, "--namespace", "default")
    written: dict[str, list[str]] = {}
    for agent in AGENTS.values():
        commands = Commands(("hybridmem", "hook", agent.name, "--memory", memory), served)
        for file in agent.files(Place("user", home, Path.cwd(), {})):
            written.setdefault(file.path.suffix, []).append(file.put("", commands))
    (toml,) = written[".toml"]
    assert f"```toml{toml}```" in guide.replace("```toml\n", "```toml")
    shown = [json.loads(block.split("```")[0]) for block in guide.split("```json\n")[1:]]
    assert len(shown) == 4
    for each in shown:
        assert any(held(each, json.loads(text)) for text in written[".json"]), each
