"""Bases that were made from other files (a GGUF, an adapter merged in) and are kept so that the next start is fast.

A folder of the cache is made by one process, whatever their number, and is there whole or not at all. It can be deleted
at any time: it is made again from its sources. ``made.json`` within it says what it was made from, and how its files
are told from damaged ones.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from hybridmem.core.disk import synced
from hybridmem.core.errors import ModelError
from hybridmem.core.hashing import file_sha256

VARIABLE = "HYBRIDMEM_CACHE"
"""The environment variable that names the cache's folder."""
FORMAT = 1
"""Of what lies in a folder of the cache. Another format is another folder."""
log = logging.getLogger("hybridmem.models")
_NOTABLE = 2.0
"""Seconds that whoever waited for them is told the reason of."""
_NOTE = "made.json"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAY_NOT = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Kept:
    """One base in the cache."""

    folder: Path
    name: str
    """What it was made for: a model's name, or the path of a GGUF file."""
    sha256: str
    """The digest of its sources."""
    bytes: int


def root() -> Path:
    """The cache's folder: HYBRIDMEM_CACHE, or ``hybridmem`` in the platform's place for such files."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hybridmem"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hybridmem" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybridmem"


def place(name: str, sha256: str) -> Path:
    """Where the base called `name` whose sources have that digest lies, or will."""
    readable = re.sub(r"[^\w.-]+", "-", Path(name).stem if name.endswith(".gguf") else name)[:60]
    return root() / "models" / f"{readable}-{sha256[:16]}-{FORMAT}"


def found(name: str, sha256: str) -> Path | None:
    """The folder of that base, if it is there and whole."""
    folder = place(name, sha256)
    return folder if _is_whole(folder) else None


def made(name: str, sha256: str, make: Callable[[Path], None], *, takes: int) -> Path:
    """The folder of that base. Where it is not there yet, `make` is called with an empty folder to fill.

    `takes` is how many bytes that needs at most. Processes that ask at once wait for the one that makes it. Raises
    `ModelError` where the disk is full or the cache cannot be written to, and then nothing half made is left."""
    if (there := found(name, sha256)) is not None:
        return there
    folder = place(name, sha256)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if not _is_whole(folder):
                started = time.monotonic()
                _make(folder, {"name": name, "sha256": sha256}, make, takes)
                if (seconds := time.monotonic() - started) > _NOTABLE:
                    log.warning("%s was made ready in %.0f s, once, and is kept in %s", name, seconds, folder)
    except OSError as error:
        raise _meaning(error, takes) from None
    return folder


def kept() -> list[Kept]:
    """Every base in the cache, by folder."""
    listed = []
    for folder in sorted((root() / "models").glob(f"*-{FORMAT}")):
        note = _note(folder)
        if note is not None and _is_whole(folder):
            size = sum(file["bytes"] for file in note["files"].values())
            listed.append(Kept(folder, str(note["name"]), str(note["sha256"]), size))
    return listed


def _make(folder: Path, about: Mapping[str, Any], make: Callable[[Path], None], takes: int) -> None:
    unfinished = f"{folder.name}.unfinished-"
    for left in folder.parent.glob(f"{unfinished}*"):  # By a process that was killed: this one has its lock.
        shutil.rmtree(left)
    if shutil.disk_usage(folder.parent).free < takes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    half = folder.with_name(f"{unfinished}{secrets.token_hex(4)}")
    half.mkdir()
    try:
        make(half)
        files = {file.name: _state(file) for file in sorted(half.iterdir())}
        (half / _NOTE).write_text(json.dumps({**about, "files": files}, indent=2) + "\n", encoding="utf-8")
        for file in half.iterdir():
            file.chmod(0o644)  # safetensors writes for its user alone, and an image's cache is read by another.
            synced(file)
        synced(half)
        if folder.exists():  # It is damaged.
            shutil.rmtree(folder)
        half.rename(folder)
        synced(folder.parent)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _state(file: Path) -> dict[str, Any]:
    state = file.stat()
    return {"bytes": state.st_size, "mtime_ns": state.st_mtime_ns, "sha256": file_sha256(file, fresh=True)}


def _note(folder: Path) -> dict[str, Any] | None:
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        return note if {"name", "sha256", "files"} <= note.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def _is_whole(folder: Path) -> bool:
    """Whether every file is as it was made: unchanged by size and time or, where the time differs, by its hash."""
    note = _note(folder)
    if note is None:
        return False
    try:
        for name, was in note["files"].items():
            state = (folder / name).stat()
            if state.st_size != was["bytes"]:
                return False
            if state.st_mtime_ns != was["mtime_ns"] and file_sha256(folder / name) != was["sha256"]:
                return False
    except (OSError, KeyError, TypeError, AttributeError):
        return False
    return True


def _meaning(error: OSError, takes: int) -> Exception:
    """The error of ours that an operating system's error amounts to; itself when it is none of them."""
    elsewhere = f"set {VARIABLE} to a folder"
    if error.errno in _FULL:
        return ModelError(
            f"the cache {root()} has no room for a base of {takes / 1e6:,.0f} MB: free some space, or {elsewhere} on "
            f"another disk"
        )
    if error.errno in (*_MAY_NOT, errno.ENOTDIR, errno.EEXIST):
        return ModelError(
            f"the cache {root()} cannot be written to ({os.strerror(error.errno)}): make it writable, or {elsewhere} "
            f"that is; a base that was made there before is read all the same"
        )
    return error
