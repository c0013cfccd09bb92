"""The lease on a namespace's nights: whoever has it decides whether one is due, and dreams it.

On one machine the kernel says whether the holder lives, by the lock that it has; a holder on another machine, which
may share the folder and not its locks, is believed until its lease has run out.
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
"""How long a holder is believed after it was last heard of."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease, as its file says."""

    owner: str
    host: str
    pid: int
    taken_at: datetime
    heard_at: datetime
    expires_at: datetime


class Lease:
    """One namespace's lease, held until `release`, or until this process ends."""

    def __init__(self, path: Path, held: int, holder: Holder) -> None:
        self._path = path
        self._held = held
        self._holder = holder

    @classmethod
    def acquire(cls, folder: MemoryFolder, namespace: Namespace, owner: str, now: datetime) -> Lease | None:
        """The lease; None while somebody else has it."""
        path = _place(folder, namespace)
        held = take(path.with_suffix(".lock"))
        if held is None:
            return None
        before = _read(path)
        if before is not None and before.host != socket.gethostname() and before.expires_at > now:
            os.close(held)
            return None
        lease = cls(path, held, Holder(owner, socket.gethostname(), os.getpid(), now, now, now + TERM))
        lease._write()
        return lease

    def renew(self, now: datetime) -> bool:
        """Say that the holder lives; False when the lease has gone to somebody else meanwhile."""
        found = _read(self._path)
        if found is None or found.owner != self._holder.owner:
            return False
        if now - found.heard_at >= TERM / 8 or now < found.heard_at:
            holder = self._holder
            self._holder = Holder(holder.owner, holder.host, holder.pid, holder.taken_at, now, now + TERM)
            self._write()
        return True

    def release(self) -> None:
        """Give it back. Somebody else's is left alone."""
        found = _read(self._path)
        if found is not None and found.owner == self._holder.owner:
            self._path.unlink(missing_ok=True)
        os.close(self._held)

    def _write(self) -> None:
        half = self._path.with_suffix(f".{secrets.token_hex(4)}")
        half.write_text(json.dumps(to_json(self._holder)) + "\n", encoding="utf-8")
        half.replace(self._path)


def holder(folder: MemoryFolder, namespace: Namespace) -> Holder | None:
    """Who has, or last had and did not give back, the lease."""
    return _read(_place(folder, namespace))


def new_owner() -> str:
    """A name for one scheduler, like no other's."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _place(folder: MemoryFolder, namespace: Namespace) -> Path:
    return folder.locks / f"schedule-{folder.dream(namespace).name}.json"


def _read(path: Path) -> Holder | None:
    """None also for a file that cannot be read: replacing it is all that can be done."""
    try:
        found = json.loads(path.read_bytes())
        times = {name: datetime.fromisoformat(found[name]) for name in ("taken_at", "heard_at", "expires_at")}
        return Holder(str(found["owner"]), str(found["host"]), int(found["pid"]), **times)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
