"""The memory folder: what lies where in it, and whether it can be used.

memory.json          format and version of the writer
ledger.sqlite3       the truth
index/               vectors, full text and graph, all rebuilt from the ledger by `hybridmem reindex`
adapters/            LoRA weights, by namespace and version
dreams/              what a running dream leaves between its steps
jobs/                dreams that run, or ran, in processes of their own; by namespace, the newest alone are kept
sessions/            what the hooks of coding agents know of their sessions; the shapes of calls, until they are learned
locks/
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.errors import CorruptStore, NewerFormat, NotAMemory, ReadOnlyMemory, StoreFull
from hybridmem.core.namespace import Namespace, namespace_digest

FORMAT = 1
_MARK = "memory.json"
_DIGITS = 16
"""Hex digits of a namespace's digest in the names of folders and locks."""


@dataclass(frozen=True, slots=True)
class MemoryFolder:
    """The places in one memory folder."""

    root: Path
    read_only: bool = False
    """Whether it cannot be written to."""
    copy: Path | None = None
    """Where the ledger and the indexes are read from instead."""

    @property
    def collection_prefix(self) -> str:
        """For the names of this memory's collections on a server: another folder, and a copy, have another one."""
        return f"hybridmem-{hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:16]}"

    @property
    def ledger(self) -> Path:
        return (self.copy or self.root) / "ledger.sqlite3"

    @property
    def index(self) -> Path:
        return (self.copy or self.root) / "index"

    @property
    def adapters(self) -> Path:
        return self.root / "adapters"

    @property
    def dreams(self) -> Path:
        return self.root / "dreams"

    @property
    def sessions(self) -> Path:
        """What is known of coding agents' sessions; made with the first."""
        return self.root / "sessions"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    def dream(self, namespace: Namespace) -> Path:
        """Where the dream of `namespace` leaves what it needs between its steps."""
        return self.dreams / namespace_digest(namespace, _DIGITS)

    def jobs(self, namespace: Namespace) -> Path:
        """Where the jobs of `namespace` stand; made with its first."""
        return self.root / "jobs" / namespace_digest(namespace, _DIGITS)

    def dream_lock(self, namespace: Namespace) -> Path:
        """The lock that a dream of `namespace` holds."""
        return self.locks / f"dream-{namespace_digest(namespace, _DIGITS)}.lock"


def prepare(root: Path, version: str) -> MemoryFolder:
    """`root` as a memory folder, made where nothing is there yet; `read_only` where one is there that cannot be written
    to. Raises `NotAMemory`, `NewerFormat`, `ReadOnlyMemory`, `CorruptStore` or `StoreFull`."""
    mark = root / _MARK
    try:
        if root.exists() and not root.is_dir():
            raise NotAMemory(f"{root} is a file, not a memory folder: name another path with --memory")
        # Looked for again last: another process may be making the same folder.
        if not mark.exists() and root.is_dir() and _strangers(root) and not mark.exists():
            raise NotAMemory(f"{root} holds something else and no {_MARK}: name a new folder with --memory")
        root.mkdir(parents=True, exist_ok=True)
        if mark.exists():
            _check_format(mark)
            if not _may_write(root):
                return MemoryFolder(root, read_only=True)
        else:
            half = mark.with_name(f"{_MARK}.{secrets.token_hex(4)}")
            half.write_text(json.dumps({"format": FORMAT, "hybridmem": version}) + "\n", encoding="utf-8")
            half.replace(mark)
        folder = MemoryFolder(root)
        for place in (folder.index, folder.adapters, folder.dreams, folder.locks):
            place.mkdir(exist_ok=True)
    except OSError as error:
        raise _meaning(error, root) from None
    return folder


def _may_write(root: Path) -> bool:
    folder = MemoryFolder(root)
    return all(os.access(path, os.W_OK) for path in (root, folder.ledger, folder.index) if path.exists())


def _strangers(root: Path) -> list[str]:
    """What is in `root` and is not the mark of a memory in the making."""
    return [path.name for path in root.iterdir() if not path.name.startswith(_MARK)]


def _check_format(mark: Path) -> None:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        written = int(found["format"])
    except (ValueError, KeyError, TypeError):
        raise CorruptStore(f'{mark} cannot be read: restore it from a copy, or write {{"format": {FORMAT}}}') from None
    if written > FORMAT:
        raise NewerFormat(
            f"{mark.parent} was written by hybridmem {found.get('hybridmem', '?')} in format {written}, and this one "
            f"reads up to {FORMAT}: run `pip install --upgrade hybridmem`"
        )


def _meaning(error: OSError, root: Path) -> Exception:
    """The error of ours that an operating system's error amounts to; itself when it is none of them."""
    if error.errno == errno.ENOSPC:
        return StoreFull(f"the disk of {root} is full: free some space and try again, nothing was lost")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyMemory(f"the memory folder {root} cannot be written to: make it writable, or copy it")
    return error
