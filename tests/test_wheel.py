"""The wheel, and the command in it as ``uvx --from WHEEL hybridmem`` and ``pipx run --spec WHEEL hybridmem`` run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNNEEDED = ("__pycache__", "bundled", "relations")
"""Left out of the copy: weights that no test of a wheel reads."""
LOOK = "from hybridmem.core.shelf import folder; print(folder('tiny-skills'), folder('golden'), folder('none'))"


def copied(place: Path) -> Path:
    """A copy of what a wheel is built from, in the folder `place`."""
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    for name in ("hybridmem", "adapters"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns(*UNNEEDED))
    return place


def built(copy: Path, place: Path) -> Path:
    """The wheel of the sources in `copy`, made in the folder `place`."""
    options = (
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--no-cache-dir",
        "--wheel-dir",
        str(place),
    )
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(copy), *options], capture_output=True, text=True, check=False
    )
    if "No module named pip" in done.stderr:
        pytest.skip("this environment has no pip")
    assert done.returncode == 0, done.stderr
    (made,) = place.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one more adapter on the shelf."""
    copy = copied(tmp_path_factory.mktemp("source"))
    skills = copy / "adapters" / "tiny-skills"
    skills.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "card.json", "README.md"):
        (skills / name).write_text("{}")
    return built(copy, tmp_path_factory.mktemp("dist"))


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
    names = set(zipfile.ZipFile(wheel).namelist())
    for each in ("coding_agents/opencode_plugin.js", "shelf/README.md", "py.typed"):
        assert f"hybridmem/{each}" in names
    assert not [name for name in names if name.startswith(("tests", "lab"))]


def test_a_wheel_carries_what_users_load_and_not_what_tests_read(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("hybridmem/shelf/")}
    skills = {f"hybridmem/shelf/tiny-skills/{name}" for name in ("adapter_config.json", "card.json", "README.md")}
    assert skills | {"hybridmem/shelf/README.md", "hybridmem/shelf/tiny-skills/adapter_model.safetensors"} <= names
    assert not [name for name in names if "golden" in name]


def test_a_wheel_carries_every_package_and_nothing_of_the_laboratory(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "hybridmem").rglob("*.py")
        if "bundled" not in path.parts and "relations" not in path.parts
    }
    assert wanted <= names
    assert "hybridmem/models/smollm2/requirements.txt" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hybridmem"}


def test_an_installed_wheel_finds_its_own_shelf(installed: Path, tmp_path: Path) -> None:
    """And not a folder called adapters that another package may have beside it."""
    (site,) = (installed.parents[1] / "lib").glob("python*/site-packages")
    (site / "adapters" / "none").mkdir(parents=True)
    done = subprocess.run(
        [str(installed.with_name("python")), "-c", LOOK],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(site / "hybridmem" / "shelf" / "tiny-skills"), "None", "None"], done.stderr


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
