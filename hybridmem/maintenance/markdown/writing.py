"""The pages of a memory into a folder, around whatever a person wrote there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridmem.maintenance.markdown import folder, rendering, snapshot
from hybridmem.maintenance.markdown.folder import Files
from hybridmem.maintenance.markdown.page import Item, Page, new_page, woven
from hybridmem.maintenance.markdown.snapshot import Snapshot, Written, digest
from hybridmem.workspace import Workspace


@dataclass(frozen=True, slots=True)
class MarkdownExport:
    """What an export wrote."""

    folder: str
    memories: int
    """In the files, changed or not."""
    written: tuple[str, ...]
    """Files that were made or changed, by their place in the folder."""
    removed: tuple[str, ...]
    """Files of the export's that had nothing left in them."""
    left_out: int
    """Facts whose subject is too long to be one of a file."""


def write(
    workspace: Workspace,
    root: Path,
    files: Files,
    before: Snapshot,
    *,
    kept: Mapping[str, Collection[int]],
    waiting: Collection[str],
) -> MarkdownExport:
    """Bring the folder up to the memory. `kept`: by file, the lines that stay word for word; `waiting`: the marks of
    memories whose lines stay as a person left them, or gone, until that is settled. Raises `OSError`."""
    rendered = rendering.render(workspace)
    homes = files.homes()
    made: dict[str, Page] = {}
    rows: list[Written] = [each for mark, each in before.written.items() if mark in waiting]
    for page in rendered:
        file = homes.get(page.key) or folder.place_for(root, page, made)
        old = files.pages.get(file) or new_page(page.kind, page.about)
        shown = [each for each in page.memories if each.block not in waiting]
        made[file] = woven(old, [Item(each.text, each.block) for each in shown], old, kept.get(file, ()))
        rows += [Written(each.record.id, each.block, file, digest(page.key, each.text)) for each in shown]
    for file, old in files.pages.items():
        if file not in made:
            made[file] = woven(old, (), old, kept.get(file, ()))
    empty = {file for file, page in made.items() if page == new_page(page.kind, page.about)}
    written = [file for file, page in sorted(made.items()) if file not in empty and folder.write(root, file, page)]
    # Last: until it is there, a line that was written is known by what the memory has.
    rows.sort(key=lambda row: (row.file, row.block))
    snapshot.write(root, Snapshot(workspace.namespace, {row.block: row for row in rows}))
    removed = [file for file in empty if folder.remove(root, file)]
    return MarkdownExport(
        folder=str(root),
        memories=sum(len(page.memories) for page in rendered),
        written=tuple(written),
        removed=tuple(sorted(removed)),
        left_out=rendering.left_out(workspace),
    )
