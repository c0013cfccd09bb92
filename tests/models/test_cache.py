"""The cache of bases: made once, whole or not at all, and made again when it is damaged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybridmem.core.errors import ModelError
from hybridmem.models import cache
from tests import notices

SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")


def refuse(folder: Path) -> None:
    pytest.fail(f"made again in {folder}")


def made(make: object = fill, *, name: str = "tiny", takes: int = 10) -> Path:
    return cache.made(name, SHA256, make, takes=takes)  # type: ignore[arg-type]


def left(place: Path) -> list[str]:
    """What the cache holds beside locks."""
    return sorted(path.name for path in (place / "models").glob("*") if path.suffix != ".lock")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"HYBRIDMEM_CACHE": "/data/cache"}, "/data/cache"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/hybridmem"),
        ("linux", {}, "/home/ana/.cache/hybridmem"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "/home/ana/Library/Caches/hybridmem"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/hybridmem/Cache"),
        ("win32", {}, "/home/ana/AppData/Local/hybridmem/Cache"),
    ],
)
def test_it_lies_where_the_platform_keeps_such_files(
    platform: str, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HYBRIDMEM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ana"))
    assert cache.root() == Path(expected)


def test_a_base_is_made_once_and_then_found(place: Path) -> None:
    assert cache.found("tiny", SHA256) is None
    folder = made()
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert made(refuse) == folder == cache.found("tiny", SHA256)
    assert left(place) == [folder.name]
    assert folder.name == f"tiny-{SHA256[:16]}-{cache.FORMAT}"


def test_other_sources_are_another_folder() -> None:
    assert made() != cache.made("tiny", "cd" * 32, fill, takes=10)


def test_a_gguf_file_is_kept_under_its_name_wherever_it_lies() -> None:
    assert made(name="/home/ana/Qwen 3.gguf").name.startswith("Qwen-3-abab")
    assert made(refuse, name="/elsewhere/Qwen 3.gguf")


def test_what_fails_half_way_leaves_nothing(place: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(fail)
    assert left(place) == []
    assert made().is_dir()


KILLED = """
import os, signal, sys
from hybridmem.models import cache
from tests import notices
def make(folder):
    (folder / "model.safetensors").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
cache.made("tiny", sys.argv[1], make, takes=10)
"""


def test_a_killed_process_leaves_no_half_base_and_no_lock(place: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, SHA256], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [name for name in left(place) if "unfinished" in name]
    assert cache.found("tiny", SHA256) is None
    folder = made()
    assert left(place) == [folder.name]


SLOW = """
import os, sys, time
from pathlib import Path
from hybridmem.models import cache
from tests import notices
def make(folder):
    with open(sys.argv[2], "a") as log:
        log.write("made\\n")
    (folder / "model.safetensors").write_bytes(b"weights")
    time.sleep(1)
print(cache.made("tiny", sys.argv[1], make, takes=10))
"""


def test_two_processes_make_it_once(tmp_path: Path, place: Path) -> None:
    log = tmp_path / "log"
    started = [
        subprocess.Popen([sys.executable, "-c", SLOW, SHA256, str(log)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    folders = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(folders) == 1
    assert log.read_text() == "made\n"
    assert cache.found("tiny", SHA256) == Path(folders.pop())


@pytest.mark.parametrize("damage", ["cut", "changed", "removed", "no note", "odd note"])
def test_a_damaged_base_is_made_again(damage: str) -> None:
    folder = made()
    weights, note = folder / "model.safetensors", folder / "made.json"
    if damage == "cut":
        weights.write_bytes(b"weig")
    elif damage == "changed":
        weights.write_bytes(b"WEIGHTS")
    elif damage == "removed":
        (folder / "config.json").unlink()
    elif damage == "no note":
        note.unlink()
    else:
        note.write_text('{"name": "tiny", "sha256": "x", "files": {"config.json": 3}}')
    assert cache.found("tiny", SHA256) is None
    assert (made() / "model.safetensors").read_bytes() == b"weights"
    assert cache.found("tiny", SHA256) == folder


def test_a_copied_cache_with_other_times_is_whole() -> None:
    folder = made()
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    assert made(refuse) == folder


def test_everybody_may_read_what_is_there() -> None:
    """The writer of safetensors lets its own user alone read, and an image's cache is read by another."""

    def make(folder: Path) -> None:
        fill(folder)
        (folder / "model.safetensors").chmod(0o600)

    assert {file.stat().st_mode & 0o044 for file in made(make).iterdir()} == {0o044}


def no_space(folder: Path) -> None:
    fill(folder)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_full_disk_is_one_line_and_leaves_nothing(place: Path, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if when == "before":
        usage = shutil.disk_usage(place.parent)._replace(free=5)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(
        ModelError, match=r"no room for a base of 0 MB: free some space, or set HYBRIDMEM_CACHE"
    ) as caught:
        made(refuse if when == "before" else no_space)
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left(place) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_cache_that_cannot_be_written_says_what_to_do(
    place: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom no permission stops: the operating system's answer is put in its place."""
    folder = made()

    def refused(*given: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(ModelError, match=r"cannot be written to .*set HYBRIDMEM_CACHE to a folder that is") as caught:
        cache.made("tiny", "cd" * 32, fill, takes=10)
    assert "\n" not in str(caught.value)
    # What is there needs no writing.
    assert made(refuse) == folder


def test_a_file_in_the_cache_s_place_says_what_to_do(place: Path) -> None:
    place.write_text("no folder")
    with pytest.raises(ModelError, match="cannot be written to"):
        made()


def test_what_is_kept_is_listed(place: Path) -> None:
    assert cache.kept() == []
    folder = made(name="/home/ana/tiny.gguf")
    (place / "models" / f"other-{'0' * 16}-{cache.FORMAT}").mkdir()
    (kept,) = cache.kept()
    assert (kept.folder, kept.name, kept.sha256) == (folder, "/home/ana/tiny.gguf", SHA256)
    assert kept.bytes == len(b"weights{}")
    assert json.loads((folder / "made.json").read_text())["name"] == kept.name


def test_whoever_waited_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with notices.kept("hybridmem.models") as lines:
        made()
        assert lines == []
        monkeypatch.setattr(cache, "_NOTABLE", 0.01)
        cache.made("slow", SHA256, lambda folder: time.sleep(0.02), takes=10)
    (line,) = lines
    assert line.startswith("slow was made ready in 0 s, once, and is kept in ")
