"""On a terminal, what is taller than the screen goes through the user's pager; a pipe gets it as it is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from hybridmem import HybridMemory

COMMAND = (sys.executable, "-m", "hybridmem.cli", "--embedder", "hashing", "list")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with HybridMemory.open(tmp_path / "memory") as memory:
        for number in range(40):
            memory.add(f"Note number {number}.")
    return tmp_path


def on_a_terminal(folder: Path, *more: str) -> str:
    """What a person sees: the pager puts marks around what goes through it."""
    pager = folder / "pager"
    pager.write_text("#!/bin/sh\necho BEGIN-PAGER\ncat\necho END-PAGER\n")
    pager.chmod(0o755)
    master, slave = pty.openpty()
    environment = {**os.environ, "PAGER": str(pager), "TERM": "xterm", "LINES": "24", "COLUMNS": "120"}
    process = subprocess.Popen([*COMMAND, *more], cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:
        pass  # on Linux, the end of a terminal whose other side is closed
    os.close(master)
    assert process.wait(timeout=60) == 0
    return seen.decode()


def test_a_long_list_goes_through_the_pager(folder: Path) -> None:
    seen = on_a_terminal(folder)
    assert "BEGIN-PAGER" in seen and "END-PAGER" in seen
    assert "Note number 0." in seen and "Note number 39." in seen


def test_a_short_one_does_not(folder: Path) -> None:
    seen = on_a_terminal(folder, "--limit", "3")
    assert "PAGER" not in seen and "Note number 2." in seen
    assert "--after" in seen


def test_a_pipe_gets_it_as_it_is(folder: Path) -> None:
    environment = {**os.environ, "PAGER": "false"}
    done = subprocess.run(COMMAND, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("Note number") == 40 and "\x1b" not in done.stdout
