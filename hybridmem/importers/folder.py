"""The files of a folder that an importer may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hybridmem.importers.aider import is_history
from hybridmem.importers.archive import READABLE, ZIP
from hybridmem.importers.markdown import instructed, is_instructions

SKIPPED = {"node_modules", "__pycache__", "site-packages", "venv"}
"""Folders of programs; so are those whose name begins with a dot."""


OF_AGENTS = {".claude", ".cursor", ".github"}
"""Hidden folders in which instructions for agents lie; nothing else in them is read."""


def readable_files(folder: Path) -> Iterator[Path | None]:
    """The files below `folder` in order of their paths, zips among them, and None in place of each that can hold no
    words.

    Links are not followed, and hidden files are left out, instructions for agents and Aider's histories excepted. What
    instructions name is read with them, and is no note beside them."""
    found = list(_files(folder))
    named = {file for path in found if path is not None and is_instructions(path) for file in instructed(path, folder)}
    for path in found:
        if path is None or is_instructions(path) or path.resolve() not in named:
            yield path


def _files(folder: Path) -> Iterator[Path | None]:
    for place, folders, files in os.walk(folder):
        hidden = any(part in OF_AGENTS for part in Path(place).relative_to(folder).parts)
        folders[:] = sorted(
            name for name in folders if (not name.startswith(".") or name in OF_AGENTS) and name not in SKIPPED
        )
        for name in sorted(files):
            path = Path(place) / name
            known = is_instructions(path) or (is_history(path) and not hidden)
            if path.is_symlink() or ((hidden or name.startswith(".")) and not known):
                continue
            yield path if known or path.suffix.lower() in READABLE | {ZIP} else None
