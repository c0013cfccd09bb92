"""The wheel, and the command in it as ``uvx --from WHEEL hybridmem`` and ``pipx run --spec WHEEL hybridmem`` run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.wheels import ROOT, built, copied


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(copied(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment of its own that has the wheel, and what it depends on from here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *command], check=True, capture_output=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")
    return folder / "bin" / "hybridmem"


def run(command: Path, *words: str, input: str = "", home: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"HOME": str(home)}
    return subprocess.run([str(command), *words], input=input, capture_output=True, text=True, env=environ, cwd=home)


def test_the_wheel_has_what_the_package_reads(wheel: Path) -> None:
    import zipfile

    names = set(zipfile.ZipFile(wheel).namelist())
    for each in ("coding_agents/opencode_plugin.js", "shelf/README.md", "py.typed"):
        assert f"hybridmem/{each}" in names
    assert not [name for name in names if name.startswith(("tests", "lab"))]


def test_the_command_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "--version", home=tmp_path)
    assert done.stdout.startswith("hybridmem 0."), done.stderr
    added = run(installed, "--memory", "m", "add", "Ana lives in Porto.", home=tmp_path)
    assert added.returncode == 0, added.stderr
    program = installed.with_name("python")
    where = subprocess.run(
        [str(program), "-P", "-c", "import hybridmem; print(hybridmem.__file__)"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert Path(where.stdout.strip()).is_relative_to(installed.parents[1])


def test_an_agents_hook_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    assert run(installed, "install", "cursor", "--yes", home=tmp_path).returncode == 0
    written = (tmp_path / ".cursor" / "hooks.json").read_text("utf-8")
    assert str(installed) in written
    event = '{"hook_event_name": "beforeSubmitPrompt", "conversation_id": "c", "prompt": "We deploy with make ship."}'
    done = run(installed, "hook", "cursor", "--memory", "m", input=event, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    listed = run(installed, "--memory", "m", "list", home=tmp_path)
    assert "make ship" in listed.stdout


@pytest.mark.parametrize("program", ["uvx", "pipx"])
def test_the_one_liners_of_the_guide(wheel: Path, program: str, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "installing.md").read_text("utf-8")
    start = {"uvx": "uvx --from", "pipx": "pipx run --spec"}[program]
    line = next(line for line in guide.splitlines() if start in line)
    assert f"{start} dist/{wheel.name} hybridmem" in line
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine; the tests above run what it would")
    words = [
        program,
        *(["--offline"] if program == "uvx" else []),
        *start.split()[1:],
        str(wheel),
        "hybridmem",
        "--version",
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    if "offline" in done.stderr.lower() or "index" in done.stderr.lower():
        pytest.skip("the dependencies are not in its cache, and tests use no network")
    assert done.stdout.startswith("hybridmem 0."), done.stderr
