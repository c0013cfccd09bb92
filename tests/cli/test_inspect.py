"""``hybridmem inspect``, as a user starts it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from hybridmem.cli.app import run
from hybridmem.memory import HybridMemory
from tests import scripts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
        memory.add("Ana keeps bees.")
    return tmp_path / "memory"


def command(folder: Path, *arguments: str) -> list[str]:
    place = ["--memory", str(folder), "--embedder", "hashing"]
    return [sys.executable, "-m", "hybridmem.cli", *place, "inspect", "--no-browser", *arguments]


def test_it_prints_an_address_that_opens_and_ends_with_ctrl_c(folder: Path) -> None:
    with scripts.Popen(command(folder, "--port", "0", "--json"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["edit"] is False
        assert told["url"].startswith("http://127.0.0.1:")
        with httpx.Client(follow_redirects=True) as client:
            assert client.get(told["url"].partition("?")[0]).status_code == 401
            assert "Ana keeps bees." in client.get(told["url"]).text
            assert "read-only" in client.get(told["url"]).text.lower()
        process.send_signal(signal.SIGINT)
        assert ended(process) == 0


def test_it_ends_even_while_it_still_loads(folder: Path) -> None:
    with scripts.Popen(command(folder, "--port", "0", "--json"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert ended(process) == 0


def ended(process: subprocess.Popen[str]) -> int:
    """The exit code; a process that does not end is killed, so that the test does not wait for it for ever."""
    try:
        return process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def test_a_port_that_is_taken_says_what_to_do(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = scripts.run_command(command(folder, "--port", port), text=True)
    assert done.returncode == 2
    assert done.stderr == f"error: port {port} is taken or not allowed: pass --port 0 for one that is free\n"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--memory", str(tmp_path / "none"), "inspect"]) == 2
    assert "no memory at" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("package", ["starlette.applications", "uvicorn"])
def test_a_missing_extra_is_named(
    folder: Path, package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("hybridmem.inspector")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert run(["--memory", str(folder), "inspect"]) == 2
    assert "pip install 'hybridmem[server]'" in capsys.readouterr().err
