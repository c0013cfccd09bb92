"""The processes of this machine, as far as the tests ask."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def children(parent: int) -> list[int]:
    """The living processes that `parent` started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = path.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_parent) == parent and state != "Z":
            found.append(int(path.parent.name))
    return found


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def eventually(what: Callable[[], object], seconds: float = 60.0, why: str = "") -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, why or "it never came to be"
        time.sleep(0.05)
