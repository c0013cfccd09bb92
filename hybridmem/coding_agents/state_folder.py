"""The user's folder for what hybridmem keeps outside any memory: installations' receipts, and the log of the hooks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

LOG = "hooks.log"
LONGEST = 2**20
"""Bytes after which the log is begun anew; the one before it is kept beside it."""


def root(home: Path, environ: Mapping[str, str]) -> Path:
    """The folder, in the platform's place for such files."""
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "hybridmem"
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "hybridmem"


def log(folder: Path, message: str) -> None:
    """Add one line to the log. A log that cannot be written is no reason to stop."""
    path = folder / LOG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LONGEST:
            path.replace(path.with_suffix(".log.1"))
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {' '.join(message.split())}\n")
    except OSError:
        return


def remove(folder: Path) -> None:
    """Take the logs away, and the folders that this leaves empty."""
    for name in (LOG, f"{LOG}.1"):
        (folder / name).unlink(missing_ok=True)
    for each in (folder, folder.parent, folder.parent.parent):
        if not each.is_dir() or any(each.iterdir()):
            return
        each.rmdir()
