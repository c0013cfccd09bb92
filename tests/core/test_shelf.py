"""The shelf is found where a user has it: in a checkout, and in a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hybridmem.core import shelf
from tests.wheels import ROOT, built, copied

LOOK = "from hybridmem.core.shelf import folder; print(folder('tiny-skills'), folder('golden'), folder('none'))"


def test_a_checkout_has_it_beside_the_package() -> None:
    assert shelf.root() == ROOT / "adapters"
    assert shelf.folder("golden") == ROOT / "adapters" / "golden"
    assert shelf.folder("none") is None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout; with one more adapter on the shelf."""
    copy = copied(tmp_path_factory.mktemp("checkout"))
    skills = copy / "adapters" / "tiny-skills"
    skills.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "card.json", "README.md"):
        (skills / name).write_text("{}")
    return built(copy, tmp_path_factory.mktemp("wheel"))


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


def test_an_installed_wheel_finds_its_own_shelf(wheel: Path, tmp_path: Path) -> None:
    """And not a folder called adapters that another package may have beside it."""
    target = tmp_path / "site"
    options = ("--quiet", "--no-deps", "--no-index", "--target", str(target))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, capture_output=True)
    (target / "adapters" / "none").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(target / "hybridmem" / "shelf" / "tiny-skills"), "None", "None"], done.stderr
