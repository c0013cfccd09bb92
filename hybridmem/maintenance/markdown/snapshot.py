"""What an export wrote, line by line: the common ancestor of the memory and of what a person made of the files.

``.hybridmem/markdown.jsonl`` in the exported folder has a header and a line a memory, with a digest of what stood there
and none of its words. Equal exports give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import InvalidInput, NewerFormat
from hybridmem.core.namespace import Namespace

PLACE = Path(".hybridmem") / "markdown.jsonl"
FORMAT, VERSION = "hybridmem-markdown", 1


@dataclass(frozen=True, slots=True)
class Written:
    """One memory as an export wrote it."""

    id: str
    block: str
    """The mark at the end of its line."""
    file: str
    """Within the folder, with ``/`` between its parts."""
    digest: str
    """Of its line or lines."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that an export wrote."""

    namespace: Namespace
    written: Mapping[str, Written] = field(default_factory=dict)
    """By mark, in the order of the files and of the marks."""


def digest(page: tuple[str, str], text: str) -> str:
    """What tells one line of a `page` (its kind and its subject or day) from another."""
    return hashlib.sha256("\n".join((*page, text)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write(root: Path, snapshot: Snapshot) -> None:
    """Put `snapshot` in the place of the one of the folder `root`. Raises `OSError`."""
    place = root / PLACE
    place.parent.mkdir(exist_ok=True)
    header = {"format": FORMAT, "version": VERSION, "namespace": list(snapshot.namespace)}
    lines: Iterable[dict[str, Any]] = (
        {"file": each.file, "mark": each.block, "id": each.id, "sha256": each.digest}
        for each in snapshot.written.values()
    )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (header, *lines))
    if not place.is_file() or place.read_bytes() != text.encode():
        write_whole(place, text)


def read(root: Path) -> Snapshot | None:
    """The snapshot of the folder `root`; None where it has none. Raises `InvalidInput` for one that is broken, and
    `NewerFormat`."""
    place = root / PLACE
    if not place.is_file() or place.is_symlink():
        return None
    try:
        header, *lines = (json.loads(line) for line in place.read_text(encoding="utf-8").split("\n") if line.strip())
        if header["format"] != FORMAT:
            raise ValueError(header["format"])
        if header["version"] > VERSION:
            raise NewerFormat(
                f"{place} has version {header['version']} and this hybridmem reads up to {VERSION}: "
                "run `pip install --upgrade hybridmem`"
            )
        namespace = tuple(str(part) for part in header["namespace"])
        written = {
            str(line["mark"]): Written(str(line["id"]), str(line["mark"]), str(line["file"]), str(line["sha256"]))
            for line in lines
        }
    except (ValueError, KeyError, TypeError):
        # a merge of git's may have left its own marks in it
        raise InvalidInput(
            f"{place} is broken: restore it with git, or from a copy, or export to a new folder"
        ) from None
    return Snapshot(namespace, written)
