"""Whether a process is still there, by the lock that it holds: process ids are given away again, locks are not.

The kernel lets go of a `flock` when the last process that has the file open ends, however it ends. A holder has the
lock alone; whoever only wants to know tries to share it, so that two who look do not take each other for the holder.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def take(path: Path) -> int | None:
    """An open file that holds `path`'s lock, to be closed by the caller; None while somebody else holds it.

    A child process that inherits the file holds the lock with it, and after it."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    except BaseException:
        os.close(held)
        raise
    return held


def is_held(path: Path) -> bool:
    """Whether a living process holds `path`'s lock; False where no such file is."""
    try:
        looked = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(looked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(looked)
    return False
