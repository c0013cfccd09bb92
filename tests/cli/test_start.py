"""The command line starts fast and loads nothing that it does not need."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "chromadb", "sqlalchemy", "networkx", "numpy")


def test_help_is_fast() -> None:
    """Processor time, so that what else the machine does counts little; it is about 0.25 s."""
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "hybridmem.cli", "--help"], capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "dream" in done.stdout
    assert statistics.median(taken) < 0.75


@pytest.mark.parametrize("arguments", [["--help"], ["dream", "--help"], ["--version"], ["nonsense"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from hybridmem.cli.app import run; "
        f"run({arguments!r}); print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == ""


def test_the_installed_command_is_this_one() -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="hybridmem")
    assert script.value == "hybridmem.cli:main"


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_exits_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from hybridmem.cli.app import run

    assert run(arguments) == 0
    assert "Exit codes" in capsys.readouterr().out
