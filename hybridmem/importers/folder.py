"""The files of a folder that an importer may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hybridmem.importers.archive import READABLE
from hybridmem.importers.markdown import INSTRUCTIONS

SKIPPED = {"node_modules", "__pycache__", "site-packages", "venv"}
"""Folders of programs; so are those whose name begins with a dot."""


def readable_files(folder: Path) -> Iterator[Path | None]:
    """The files below `folder` in order of their paths, None in place of each that can hold no words.

    Links are not followed, and hidden files are left out, instructions for agents excepted."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        for name in sorted(files):
            path = Path(place) / name
            instructions = name.lower() in INSTRUCTIONS
            if path.is_symlink() or (name.startswith(".") and not instructions):
                continue
            yield path if instructions or path.suffix.lower() in READABLE else None
