"""Where the hooks keep quiet: nothing is remembered there, and nothing is given back.

A file ``.hybridmemignore`` speaks for the folder that it lies in and all below. Empty, it means all of it; else each
line names folders as ``.gitignore`` does: the last pattern that fits decides, and ``!`` before one takes it back.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

FILE = ".hybridmemignore"
VARIABLE = "HYBRIDMEM_HOOKS"
"""The environment variable that, set to ``off``, silences the hooks of whatever runs with it."""
_OFF = ("off", "0", "false", "no")


def opted_out(cwd: Path, environ: Mapping[str, str]) -> bool:
    """Whether a session in the folder `cwd` is to be left alone."""
    if environ.get(VARIABLE, "").strip().lower() in _OFF:
        return True
    return any(_ignores(folder / FILE, cwd.relative_to(folder)) for folder in (cwd, *cwd.parents))


def _ignores(file: Path, inner: Path) -> bool:
    if not file.is_file():
        return False
    lines = [line.strip() for line in file.read_text("utf-8", "replace").splitlines()]
    patterns = [line for line in lines if line and not line.startswith("#")]
    if not patterns:
        return True
    ignored = False
    for pattern in patterns:
        if _fits(inner.as_posix(), pattern.removeprefix("!").strip("/") or "*"):
            ignored = not pattern.startswith("!")
    return ignored


def _fits(inner: str, pattern: str) -> bool:
    """Whether the pattern names the folder, or one that it lies in."""
    path = PurePosixPath(inner)
    for each in (path, *path.parents):
        name = str(each)
        if fnmatch.fnmatchcase(name, pattern) or ("/" not in pattern and fnmatch.fnmatchcase(each.name, pattern)):
            return True
    return False
