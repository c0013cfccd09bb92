"""What an import is to do with each line that a person wrote, changed or took away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Fact, MemoryRecord
from hybridmem.core.text.tokens import normalised
from hybridmem.maintenance.markdown import calls, fact_line
from hybridmem.maintenance.markdown.calls import AddFact, Call, Reword, Slot
from hybridmem.maintenance.markdown.comparison import Comparison, Edited, Place, Removed
from hybridmem.maintenance.markdown.fact_line import BLOCK
from hybridmem.maintenance.markdown.rendering import RenderedPage

Action = Literal["add", "supersede", "reword", "redate", "erase"]


@dataclass(frozen=True, slots=True)
class MarkdownChange:
    """One line's edit, and what it does to the memory."""

    action: Action
    """`supersede`: a value takes another's place. `redate`: the same value holds from, or until, another day."""
    file: str
    line: int
    """From 1; 0 for a line that is gone."""
    before: str | None
    """The line as the memory has it; None for a new one."""
    after: str | None
    """The line as a person left it; None for one that is gone."""
    id: str | None = None
    """Of the memory that says so now, or that is gone; None before it is there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edit that the memory does not take; its line stays as it is."""

    file: str
    line: int
    text: str
    reason: str
    mark: str | None = None
    """Of the memory that the line stands for."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One line's edit as calls of the memory."""

    place: Place
    change: MarkdownChange
    calls: tuple[Call, ...]
    mark: str | None
    """Of the memory that the line stands for, or stood for; None for a new line."""
    parted: Removed | None = None
    """The memory that the line stood for, where it states something else now."""

    def refusal(self, reason: str) -> Refusal:
        return Refusal(self.place.file, self.place.item.line, self.place.item.text, reason, self.mark)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import is to do."""

    edits: tuple[Edit, ...]
    """In the order of the files and lines."""
    doomed: tuple[Removed, ...]
    """Memories to erase."""
    kept: tuple[Removed, ...]
    """Memories whose lines are gone and that stay: nobody said that they are to be erased."""
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that a person wrote or changed."""

    place: Place
    edited: Edited | None
    """None for a line that is to become a new memory."""
    slot: Slot | None = None
    """None for what was said."""
    value: str = ""
    """Normalised."""
    another: Edited | None = None
    """The memory that the line stood for, which said something else."""

    @property
    def says_something_new(self) -> bool:
        """Whether its value is another than the memory's."""
        record = self.edited.memory.record if self.edited else None
        return not isinstance(record, Fact) or self.value != normalised(record.object)


def planned(found: Comparison, rendered: Iterable[RenderedPage], *, delete: bool) -> Plan:
    """What to do about `found`; with `delete`, memories whose lines are gone are erased."""
    found = _rejoined(found)
    lines = sorted(_lines(found), key=lambda line: (line.place.file, line.place.item.line))
    touched = {each.memory.record.id for each in found.removed} | {each.memory.record.id for each in found.edited}
    said = _standing(rendered, touched)
    values = {slot: set(there) for slot, there in said.items()}
    for line in lines:
        if line.slot is not None:
            values.setdefault(line.slot, set()).add(line.value)
    edits: list[Edit] = []
    refused: list[Refusal] = []
    for line in lines:
        item = line.place.item
        own = line.edited or line.another
        mark = own.memory.block if own else None
        try:
            if line.slot is not None and line.says_something_new and line.value in said.setdefault(line.slot, set()):
                raise InvalidInput("another line says the same: take one of them away")
            alone = line.slot is None or len(values[line.slot]) == 1
            edits += _edit(line, mark, found.removed, alone=alone)
        except InvalidInput as error:
            refused.append(Refusal(line.place.file, item.line, item.text, str(error), mark))
        else:
            if line.slot is not None:
                said.setdefault(line.slot, set()).add(line.value)
    gone = [*found.removed, *(edit.parted for edit in edits if edit.parted is not None)]
    return Plan(
        edits=tuple(edits),
        doomed=tuple(gone) if delete else (),
        kept=() if delete else tuple(each for each in gone if not _is_superseded(each, edits)),
        refused=tuple(refused),
    )


def _rejoined(found: Comparison) -> Comparison:
    """`found`, where a new line that says what a removed one said is that line, which lost its mark."""
    removed = {_said(each.memory.record, each.memory.text): each for each in found.removed}
    added: list[Place] = []
    edited = list(found.edited)
    for place in found.added:
        line = _new(place)
        key = (line.slot, line.value) if line.slot is not None else (place.page.about, place.item.text)
        if place.item.block is None and (own := removed.pop(key, None)) is not None:
            edited.append(Edited(place, own.memory))
        else:
            added.append(place)
    return replace(found, added=tuple(added), edited=tuple(edited), removed=tuple(removed.values()))


def _said(record: MemoryRecord, text: str) -> tuple[object, str]:
    """What tells a memory's line from others without its mark."""
    if isinstance(record, Fact):
        return record.slot, normalised(record.object)
    first, newline, more = text.partition("\n")
    return record.at.date().isoformat(), BLOCK.sub("", first) + newline + more


def _lines(found: Comparison) -> Iterator[_Line]:
    for edited in found.edited:
        if calls.is_another(edited):
            yield _new(edited.place, edited)
        elif isinstance(edited.memory.record, Fact):
            line = fact_line.parse(edited.place.item.text)
            value = normalised(line.value) if line else ""
            yield _Line(edited.place, edited, edited.memory.record.slot, value)
        else:
            yield _Line(edited.place, edited)
    yield from map(_new, found.added)


def _new(place: Place, another: Edited | None = None) -> _Line:
    line = fact_line.parse(place.item.text) if place.page.kind == "facts" else None
    if line is None:
        return _Line(place, None, another=another)
    return _Line(place, None, calls.slot_of(place.page.about, line), normalised(line.value), another)


def _standing(rendered: Iterable[RenderedPage], touched: Collection[str]) -> dict[Slot, set[str]]:
    """The values that stand in each slot and that nobody touched, whether the export had them or they came since."""
    values: dict[Slot, set[str]] = {}
    for page in rendered:
        for each in page.memories:
            if isinstance(each.record, Fact) and each.record.id not in touched:
                values.setdefault(each.record.slot, set()).add(normalised(each.record.object))
    return values


def _edit(line: _Line, mark: str | None, removed: Sequence[Removed], *, alone: bool) -> list[Edit]:
    """The edit of `line`; none where it says what its memory says. `alone`: no other value stands in its slot.

    Raises `InvalidInput` for what the memory does not take."""
    item, edited = line.place.item, line.edited
    if edited is not None:
        made = calls.of_edited(edited, alone=alone)
        before: str | None = edited.memory.text
    else:
        made = [calls.of_added(line.place, alone=alone)]
        before = next((each.memory.text for each in removed if alone and _stood_in(each, line.slot)), None)
    if not made:
        return []
    return [
        Edit(
            place=line.place,
            change=MarkdownChange(_action(made, edited, before), line.place.file, item.line, before, item.text),
            calls=tuple(made),
            mark=mark,
            parted=Removed(line.place.file, line.another.memory) if line.another is not None else None,
        )
    ]


def _is_superseded(removed: Removed, edits: Iterable[Edit]) -> bool:
    """Whether one of `edits` puts another value in the place of what was removed."""
    facts = (call for edit in edits for call in edit.calls if isinstance(call, AddFact) and call.replace)
    return any(_stood_in(removed, call.slot) for call in facts)


def _stood_in(removed: Removed, slot: Slot | None) -> bool:
    record = removed.memory.record
    return isinstance(record, Fact) and record.slot == slot


def _action(made: Sequence[Call], edited: Edited | None, before: str | None) -> Action:
    last = made[-1]
    if isinstance(last, Reword):
        return "reword"
    if edited is None:
        return "supersede" if before is not None else "add"
    record = edited.memory.record
    same = isinstance(last, AddFact) and isinstance(record, Fact) and last.object == record.object
    return "redate" if same else "supersede"
