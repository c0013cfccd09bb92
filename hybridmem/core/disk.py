"""Writing so that a crash leaves a thing whole or absent."""

from __future__ import annotations

import os
from pathlib import Path


def synced(path: Path) -> None:
    """What was written to the file or folder is on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle of a folder to flush.
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """Put `text`, as UTF-8 and with the ends of lines that it has, in the place of the file at `path`."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
