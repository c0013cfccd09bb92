"""The three-way comparison: what the export wrote, what a person made of it, and what the memory has now.

A memory is the unit, as a line is to git: what one side alone changed is that side's, what both made the same is
settled, and the rest is a conflict, which is named and left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hybridmem.maintenance.markdown.folder import Files, LeftAlone
from hybridmem.maintenance.markdown.page import Item, Page
from hybridmem.maintenance.markdown.rendering import Rendered, RenderedPage, page_key
from hybridmem.maintenance.markdown.snapshot import Snapshot, Written, digest

Prefer = Literal["file", "memory"]


@dataclass(frozen=True, slots=True)
class Place:
    """An item of the folder."""

    file: str
    page: Page
    item: Item

    @property
    def digest(self) -> str:
        return digest(page_key(self.page.kind, self.page.about), self.item.text)


@dataclass(frozen=True, slots=True)
class Stored:
    """A memory as it would be exported now."""

    page: RenderedPage
    memory: Rendered

    @property
    def digest(self) -> str:
        return digest(self.page.key, self.memory.text)


@dataclass(frozen=True, slots=True)
class Edited:
    """A line that says something else than its memory."""

    place: Place
    memory: Rendered


@dataclass(frozen=True, slots=True)
class Removed:
    """A memory whose line is gone."""

    file: str
    memory: Rendered


@dataclass(frozen=True, slots=True)
class Conflict:
    """A memory that was changed in the file and, in another way, in the memory."""

    id: str
    file: str
    line: int
    """From 1; 0 for a line that is gone."""
    in_file: str | None
    """None: it was removed there."""
    in_memory: str | None
    """None: it is gone, or believed no more."""
    mark: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who changed what since the export."""

    added: tuple[Place, ...]
    """Lines that stand for no memory yet."""
    edited: tuple[Edited, ...]
    removed: tuple[Removed, ...]
    conflicts: tuple[Conflict, ...]
    left_alone: tuple[LeftAlone, ...]
    """Lines that are no memory's, and files beside the export's."""
    changed_since: tuple[str, ...]
    """Ids of memories that came, went or changed in the memory since the export."""
    held: frozenset[str]
    """Marks within a person's remarks: their memories are neither removed nor written a second time."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing in the files waits to be taken into the memory."""
        return not (self.added or self.edited or self.removed or self.conflicts)


def compare(
    snapshot: Snapshot, files: Files, rendered: Iterable[RenderedPage], prefer: Prefer | None = None
) -> Comparison:
    """What `files` and the memory, as it is `rendered`, made of `snapshot`. With `prefer`, one side wins where both
    changed a memory; ``memory`` also brings back the lines that were removed."""
    stored = {memory.block: Stored(page, memory) for page in rendered for memory in page.memories}
    lines, added = _by_mark(files.pages, snapshot.written, stored)
    held = frozenset(mark for page in files.pages.values() for each in page.remarks for mark in each.holds)
    edited: list[Edited] = []
    removed: list[Removed] = []
    conflicts: list[Conflict] = []
    for mark, written in snapshot.written.items():
        if mark in held:
            continue
        now = stored.get(mark)
        now = now if now is not None and now.memory.record.id == written.id else None
        place = lines.get(mark)
        same = now is not None and now.digest == written.digest
        if place is None:
            if now is None or prefer == "memory":
                continue
            if same or prefer == "file":
                removed.append(Removed(written.file, now.memory))
            else:
                conflicts.append(Conflict(written.id, written.file, 0, None, now.memory.text, mark))
        elif place.digest == written.digest or (now is not None and place.digest == now.digest):
            continue
        elif now is not None and (same or prefer == "file"):
            edited.append(Edited(place, now.memory))
        elif prefer == "file":
            added.append(place)
        elif prefer is None:
            text = now.memory.text if now else None
            conflicts.append(Conflict(written.id, place.file, place.item.line, place.item.text, text, mark))
    return Comparison(
        added=tuple(added),
        edited=tuple(edited),
        removed=tuple(removed),
        conflicts=tuple(conflicts),
        left_alone=(*files.left_alone, *_remarks(files.pages), *_strange(lines, snapshot.written, stored)),
        changed_since=tuple(_changed(snapshot.written, stored)),
        held=held,
    )


def _by_mark(
    pages: Mapping[str, Page], written: Mapping[str, Written], stored: Mapping[str, Stored]
) -> tuple[dict[str, Place], list[Place]]:
    """(the line of each mark, the lines that are new). Of several lines with one mark, the one that nobody touched is
    the memory's, or else the first; the others are copies, which are new."""
    found: dict[str, list[Place]] = {}
    new: list[Place] = []
    for file, page in pages.items():
        for item in page.items:
            if item.block is None:
                new.append(Place(file, page, item))
            else:
                found.setdefault(item.block, []).append(Place(file, page, item))
    lines: dict[str, Place] = {}
    for mark, places in found.items():
        known = {written[mark].digest} if mark in written else set()
        known |= {stored[mark].digest} if mark in stored else set()
        lines[mark] = next((each for each in places if each.digest in known), places[0])
        if mark in written:
            new += [each for each in places if each is not lines[mark] and each.digest not in known]
    return lines, new


def _strange(
    lines: Mapping[str, Place], written: Mapping[str, Written], stored: Mapping[str, Stored]
) -> Iterable[LeftAlone]:
    """The lines with a mark that is not the export's. An import that was cut short may have written some of them."""
    for mark, place in lines.items():
        if mark not in written and (mark not in stored or stored[mark].digest != place.digest):
            reason = f"the mark ^{mark} is not of this export: take it away to add the line"
            yield LeftAlone(place.file, place.item.line, reason)


def _changed(written: Mapping[str, Written], stored: Mapping[str, Stored]) -> Iterable[str]:
    for mark, each in written.items():
        now = stored.get(mark)
        if now is None or now.memory.record.id != each.id or now.digest != each.digest:
            yield each.id
    yield from (now.memory.record.id for mark, now in stored.items() if mark not in written)


def _remarks(pages: Mapping[str, Page]) -> Iterable[LeftAlone]:
    for file, page in pages.items():
        for remark in page.remarks:
            first = next(line for line in remark.text.split("\n") if line.strip())
            yield LeftAlone(file, remark.line, f"{first.strip()[:60]!r} is no {page.kind.removesuffix('s')}")
