"""Tab in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybridmem.cli.app import run

SHELLS = ("bash", "zsh", "fish")


def completed(words: str, at: int) -> list[str]:
    """What bash is offered for the command line `words`, whose word number `at` is being typed."""
    asked = {"_HYBRIDMEM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [sys.executable, "-m", "hybridmem.cli"], env={**os.environ, **asked}, capture_output=True, text=True
    )
    return done.stdout.split()


def test_commands_options_and_values_are_offered() -> None:
    assert completed("hybridmem se", 1) == ["search", "secrets", "serve"]
    assert "--token-budget" in completed("hybridmem search --to", 2)
    assert completed("hybridmem completion z", 2) == ["zsh"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_for_that_shell(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_HYBRIDMEM_COMPLETE" in script
    if (program := shutil.which(shell)) is not None:
        file = tmp_path / "script"
        file.write_text(script, "utf-8")
        assert subprocess.run([program, "-n", str(file)], capture_output=True).returncode == 0


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "csh"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
