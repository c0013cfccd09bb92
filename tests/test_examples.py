"""Every example runs as a reader would run it, and prints what it says that it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import scripts
from tests.reader_server import reader_server

EXAMPLES = Path(__file__).parents[1] / "examples"

EXPECTED = {
    "01_remember_and_recall.py": "Porto",
    "02_dream.py": "weights: Zane Kolu",
    "03_facts_that_change.py": "before: ['Ana Brito lives in Porto.']",
    "04_forget.py": "at once: abstain",
    "05_your_own_model.py": "a night would take about",
    "06_async_agent.py": "Zane ['Zane lives in Riga.']",
    "07_langgraph_agent.py": "The memory itself: Porto (retrieval)",
    "08_openai_client.py": "Where does Ana Brito live? Porto",
    "09_mcp_client.py": "answer: Porto [retrieval]",
    "10_plain_loop.py": "Zane Kolu   [retrieval]",
    "11_many_users.py": "Mira ['Mira lives in Graz.']",
    "12_your_agents_model.py": "rolled back: retrieval",
}
COLD = {"01_remember_and_recall.py"}
"""Run by the command that a reader types, on the fake model; the others run in a process in which the large libraries
are imported already."""
COSTLY = {
    "02_dream.py": "promoted, 4 facts",
    **{name: EXPECTED[name] for name in ("04_forget.py", "08_openai_client.py", "09_mcp_client.py")},
    "12_your_agents_model.py": "from the weights: Porto",
}
"""Those that dream, or load the model in a process of their own, and what they print on the fake model, which knows no
other wording; on the real one they run among the slow tests."""
ON_THE_FAKE = """
import os, runpy, sys

os.environ["HYBRIDMEM_MODEL"] = "fake"
if "mcp" in sys.argv[1]:
    from mcp.client import stdio

    stdio.DEFAULT_INHERITED_ENV_VARS.append("HYBRIDMEM_MODEL")
else:
    from hybridmem import models
    from hybridmem.models.fake import FakeModel

    models.load = lambda name=None, settings=None: FakeModel()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
READ_ELSEWHERE = "12_your_agents_model.py"
"""Run with the name of a model at an endpoint."""


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_runs(name: str, tmp_path: Path) -> None:
    done: scripts.Finished | subprocess.CompletedProcess[str]
    if name in COLD:
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name)],
            cwd=tmp_path,
            env={**os.environ, "HYBRIDMEM_MODEL": "fake"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    elif name in COSTLY:
        with arguments(name) as given:
            done = scripts.run(ON_THE_FAKE, tmp_path, str(EXAMPLES / name), *given)
    else:
        done = scripts.run(EXAMPLES / name, tmp_path)
    check(done, COSTLY.get(name, EXPECTED[name]), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*COLD, *COSTLY}))
def test_runs_on_a_real_model(name: str, tmp_path: Path) -> None:
    with arguments(name) as given:
        check(scripts.run(EXAMPLES / name, tmp_path, *given), EXPECTED[name], tmp_path)


@contextmanager
def arguments(name: str) -> Iterator[list[str]]:
    """What that example is run with."""
    if name != READ_ELSEWHERE:
        yield []
        return
    with reader_server() as server:
        yield [f"{server.name},price_in=0.25,price_out=2"]


def test_a_model_has_to_be_named(tmp_path: Path) -> None:
    done = scripts.run(EXAMPLES / READ_ELSEWHERE, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("name the model: ")


def check(done: scripts.Finished | subprocess.CompletedProcess[str], expected: str, folder: Path) -> None:
    """It succeeded, printed what was expected, and left nothing behind."""
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert list(folder.iterdir()) == []
