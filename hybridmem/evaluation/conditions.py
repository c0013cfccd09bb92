"""What measurements must share to be set side by side, and folders that one process at a time measures into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hybridmem.core.errors import InvalidInput

Conditions = Mapping[str, Any]
"""As JSON: the stream, the base, the recipe, what else answers, the version."""


@contextmanager
def claimed(folder: Path, what: str) -> Iterator[None]:
    """Within this context no other process measures into `folder`, which is made where it is not there; `what` names
    the measurement. Raises `InvalidInput` where another process does, or where there can be no such folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput(f"{folder} is no folder: name another one for the results") from None
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise InvalidInput(f"another process runs {what} into {folder}: wait for it, or name another folder") from None


def first_difference(measured: Conditions, now: Conditions, prefix: str = "") -> str:
    """What two sets of conditions differ in, such as ``recipe.train.rank: 8, now 16``; empty where they are equal."""
    for key in sorted(measured.keys() | now.keys()):
        before, after = measured.get(key), now.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            if found := first_difference(before, after, f"{prefix}{key}."):
                return found
        elif before != after:
            return f"{prefix}{key}: {_shown(before)}, now {_shown(after)}"
    return ""


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."
