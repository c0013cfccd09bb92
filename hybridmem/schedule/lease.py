"""The lease on a namespace's nights: its holder decides whether a night is due, and runs it.

On one machine, the holder's file lock shows whether it lives. Another machine may share the folder but not its locks:
a holder there is trusted until its lease expires.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hybridmem.core.folder import MemoryFolder
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.jobs.liveness import take

TERM = timedelta(minutes=2)
"""How long a holder is trusted after its last sign of life."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease, by its file."""

    owner: str
    host: str
    pid: int
    taken_at: datetime
    heard_at: datetime
    expires_at: datetime


class Lease:
    """One namespace's lease, valid until `release` or until this process ends."""

    def __init__(self, path: Path, lock: int, holder: Holder) -> None:
        self._path = path
        self._lock = lock
        self._holder = holder

    @classmethod
    def acquire(cls, folder: MemoryFolder, namespace: Namespace, owner: str, now: datetime) -> Lease | None:
        """The lease; None while another holder has it."""
        path = _place(folder, namespace)
        lock = take(path.with_suffix(".lock"))
        if lock is None:
            return None
        before = _read(path)
        if before is not None and before.host != socket.gethostname() and before.expires_at > now:
            os.close(lock)
            return None
        lease = cls(path, lock, Holder(owner, socket.gethostname(), os.getpid(), now, now, now + TERM))
        lease._write()
        return lease

    def renew(self, now: datetime) -> bool:
        """Extend the lease; False if another holder has it by now."""
        found = _read(self._path)
        if found is None or found.owner != self._holder.owner:
            return False
        if now - found.heard_at >= TERM / 8 or now < found.heard_at:
            holder = self._holder
            self._holder = Holder(holder.owner, holder.host, holder.pid, holder.taken_at, now, now + TERM)
            self._write()
        return True

    def release(self) -> None:
        """Give the lease back. Another holder's lease is left alone."""
        found = _read(self._path)
        if found is not None and found.owner == self._holder.owner:
            self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def _write(self) -> None:
        unfinished = self._path.with_suffix(f".{secrets.token_hex(4)}")
        unfinished.write_text(json.dumps(to_json(self._holder)) + "\n", encoding="utf-8")
        unfinished.replace(self._path)


def holder(folder: MemoryFolder, namespace: Namespace) -> Holder | None:
    """Who has the lease, or had it last and did not release it."""
    return _read(_place(folder, namespace))


def new_owner() -> str:
    """A unique name for one scheduler."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _place(folder: MemoryFolder, namespace: Namespace) -> Path:
    return folder.locks / f"schedule-{folder.dream(namespace).name}.json"


def _read(path: Path) -> Holder | None:
    """The holder in the file; None if there is no file or it is damaged, and then it may be replaced."""
    try:
        found = json.loads(path.read_bytes())
        times = {name: datetime.fromisoformat(found[name]) for name in ("taken_at", "heard_at", "expires_at")}
        return Holder(str(found["owner"]), str(found["host"]), int(found["pid"]), **times)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
