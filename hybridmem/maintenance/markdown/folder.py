"""The folder of an export: which of its files are the export's, and which are somebody else's.

An export's file lies below ``facts`` or ``days``, is no link, and says in its front matter that it is one. No other
file is ever written or removed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import HybridMemError, InvalidInput
from hybridmem.importers.front_matter import text_of
from hybridmem.maintenance.markdown import page as pages
from hybridmem.maintenance.markdown.page import Kind, Page
from hybridmem.maintenance.markdown.rendering import FOLDERS, RenderedPage, page_key


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A file, or lines of one, that is no memory's."""

    file: str
    line: int
    """From 1; 0 for a whole file."""
    reason: str


@dataclass(frozen=True, slots=True)
class Files:
    """What lies in the folder."""

    pages: dict[str, Page]
    """The export's files, by their place in the folder."""
    left_alone: tuple[LeftAlone, ...]
    """Files beside them, in the export's own folders."""

    def homes(self) -> dict[tuple[Kind, str], str]:
        """The file of each subject and day; the first of several."""
        homes: dict[tuple[Kind, str], str] = {}
        for file, page in self.pages.items():
            homes.setdefault(page_key(page.kind, page.about), file)
        return homes


def checked_folder(root: Path) -> Path:
    """`root`, where an export may lie. Raises `InvalidInput`."""
    if root.exists() and not root.is_dir():
        raise InvalidInput(f"{root} is a file: name a folder for the Markdown")
    if (root / "memory.json").exists():
        raise InvalidInput(f"{root} is a memory folder: name another one for the Markdown")
    for name in FOLDERS.values():
        if (root / name).is_symlink():
            raise InvalidInput(f"{root / name} is a link, and nothing is written through one: name another folder")
    return root


def read(root: Path, known: Collection[str]) -> Files:
    """The export's files in `root`, in the order of their names. `known`: the marks that the export wrote."""
    found: dict[str, Page] = {}
    others: list[LeftAlone] = []
    for path in _files(root):
        file = path.relative_to(root).as_posix()
        try:
            page = pages.parse(text_of(path), known)
        except (HybridMemError, OSError) as error:
            others.append(LeftAlone(file, 0, f"it cannot be read: {error}"))
            continue
        if page is None:
            others.append(LeftAlone(file, 0, "it is no file of the export"))
        else:
            found[file] = page
    return Files(found, tuple(others))


def place_for(root: Path, rendered: RenderedPage, taken: Collection[str]) -> str:
    """Where a page without a file is to lie: its own name, or one beside it where somebody else's file is there."""
    name = Path(rendered.name)
    place, number = rendered.name, 1
    while place in taken or os.path.lexists(root / place):
        number += 1
        place = name.with_name(f"{name.stem} (memory{f' {number}' if number > 2 else ''}).md").as_posix()
    return place


def write(root: Path, file: str, page: Page) -> bool:
    """Put `page` at its place; whether that changed anything. Raises `OSError`."""
    path = root / file
    content = page.text.encode("utf-8", "surrogatepass")
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page.text)
    return True


def remove(root: Path, file: str) -> bool:
    """Take away a file of the export's; whether there was one."""
    path = root / file
    there = path.is_file()
    path.unlink(missing_ok=True)
    return there


def _files(root: Path) -> Iterator[Path]:
    for name in sorted(FOLDERS.values()):
        for place, folders, files in os.walk(root / name):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for file in sorted(files):
                path = Path(place) / file
                if path.suffix.lower() == ".md" and not file.startswith(".") and not path.is_symlink():
                    yield path
