"""A memory written as a folder of Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.maintenance.markdown import folder, rendering, snapshot, writing
from hybridmem.maintenance.markdown.comparison import Comparison, compare
from hybridmem.maintenance.markdown.snapshot import Snapshot
from hybridmem.maintenance.markdown.writing import MarkdownExport
from hybridmem.workspace import Workspace


def export(workspace: Workspace, root: Path) -> MarkdownExport:
    """Write the memory into the folder `root`, made where there is none, or bring an earlier export up to it.

    Raises `InvalidInput` for a folder with edits that were not imported, or with another namespace's export, and
    `OSError`."""
    folder.checked_folder(root)
    before = snapshot.read(root)
    files = folder.read(root, before.written if before else ())
    if before is None:
        if files.pages:
            raise InvalidInput(
                f"{root} has an export's files and no {snapshot.PLACE}: restore that, or name a new folder"
            )
        before = Snapshot(workspace.namespace)
    require_same(before.namespace, workspace.namespace, root)
    found = compare(before, files, rendering.render(workspace))
    if not found.is_settled:
        raise InvalidInput(
            f"{root / _first(found)} has edits that were not imported: run `hybridmem import {root}` first, or name "
            "a new folder"
        )
    root.mkdir(parents=True, exist_ok=True)
    return writing.write(workspace, root, files, before, kept=kept_lines(found), waiting=found.held)


def require_same(exported: Namespace, namespace: Namespace, root: Path) -> None:
    """Raise `InvalidInput` for an export of another namespace."""
    if exported != namespace:
        raise InvalidInput(
            f"{root} is the export of {'/'.join(exported)}, and this is {'/'.join(namespace)}: name it with --namespace"
        )


class Located(Protocol):
    """Something that is said of a line."""

    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...


def kept_lines(found: Comparison, further: Iterable[Located] = ()) -> dict[str, set[int]]:
    """By file: the lines that are nobody's but the person's, and `further` ones."""
    kept: dict[str, set[int]] = {}
    for each in (*found.left_alone, *further):
        kept.setdefault(each.file, set()).add(each.line)
    return kept


def _first(found: Comparison) -> str:
    """The first file with something in it that was not imported."""
    files = [
        *(each.file for each in found.added),
        *(each.place.file for each in found.edited),
        *(each.file for each in found.removed),
        *(each.file for each in found.conflicts),
    ]
    return min(files)
