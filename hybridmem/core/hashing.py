"""sha256 of files: what binds an adapter to its base, and a record to its bytes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

SETTLED_SECONDS = 2.0
"""Hashes of younger files are not cached: such a file may change again within one tick of the file system's clock."""

_known: dict[tuple[str, int, int], str] = {}


def file_sha256(path: Path, *, fresh: bool = False) -> str:
    """The sha256 of a file in hex, cached in this process by path, size and time of change unless `fresh`."""
    state = path.stat()
    key = (str(path.resolve()), state.st_size, state.st_mtime_ns)
    if not fresh and key in _known:
        return _known[key]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time() - state.st_mtime > SETTLED_SECONDS:
        _known[key] = digest
    return digest


def weights_sha256(files: Iterable[Path]) -> str:
    """One digest of a model's weight files: `joined_sha256` of theirs."""
    return joined_sha256({file.name: file_sha256(file) for file in files})


def joined_sha256(by_name: Mapping[str, str]) -> str:
    """One digest for several files, from the sha256 of each `by_name`.

    For one file, it is the file's own digest, as ``sha256sum`` prints it. For several, it is the sha256 of what
    ``sha256sum`` prints for them in the order of their names.
    """
    if len(by_name) == 1:
        return next(iter(by_name.values()))
    return hashlib.sha256("".join(f"{by_name[name]}  {name}\n" for name in sorted(by_name)).encode()).hexdigest()
