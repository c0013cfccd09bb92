"""One file of an export: what is known of a subject, or what was said on a day, and whatever else a person wrote there.

The front matter says that the file is an export's, and of what. A file without it is nobody's but the person's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hybridmem.importers import front_matter
from hybridmem.importers.front_matter import EXPORT_MARK
from hybridmem.maintenance.markdown import episode_item, fact_line
from hybridmem.maintenance.markdown.episode_item import trimmed

Kind = Literal["facts", "episodes"]
ABOUT = {"facts": "subject", "episodes": "day"}
"""The entry that says of what it is, by kind."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HIDDEN = re.compile(r" {0,3}(%%|<!--|\$\$)")
_HIDDEN_ENDS = {"%%": "%%", "<!--": "-->", "$$": "$$"}
"""Comments, Obsidian's and HTML's, and mathematics: what ends each."""
_TITLE = re.compile(r"(?:[ \t]*\n)*# [^\n]*(?:\n|\Z)(?:[ \t]*\n)?|(?:[ \t]*\n)?")
_TOKEN = re.compile(r"\^([A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Item:
    """A line, or an episode's lines, that stands for a memory or is to become one."""

    text: str
    block: str | None = None
    """The mark of its memory; None for a new one."""
    line: int = 0
    """Where it is in the file, from 1."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Lines of a person's that are no memory."""

    text: str
    line: int = 0
    holds: frozenset[str] = frozenset()
    """The marks of memories in it: what a person put into a quotation, or wrote around, is not gone."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file, as it is or as it is to be."""

    kind: Kind
    about: str
    """The subject, or the day in ISO 8601."""
    preamble: str
    """The front matter and the title, word for word."""
    elements: tuple[Item | Remark, ...] = ()

    @property
    def items(self) -> list[Item]:
        return [each for each in self.elements if isinstance(each, Item)]

    @property
    def remarks(self) -> list[Remark]:
        return [each for each in self.elements if isinstance(each, Remark)]

    @property
    def text(self) -> str:
        """The whole file."""
        return self.preamble + "".join(f"{each.text}\n" for each in self.elements)


def new_page(kind: Kind, about: str) -> Page:
    """An empty one."""
    title = " ".join(about.split())
    return Page(kind, about, f"---\n{EXPORT_MARK}: {kind}\n{ABOUT[kind]}: {_yaml(about)}\n---\n\n# {title}\n\n")


def parse(text: str, known: Collection[str]) -> Page | None:
    """The page that a file's `text` is; None where it says of nothing that it is an export's. `known`: the marks of the
    memories that the export wrote."""
    text = text.replace("\r\n", "\n")
    found = front_matter.parse(text)
    kind = found.fields.get(EXPORT_MARK) if found is not None else None
    if found is None or kind not in ("facts", "episodes"):
        return None
    about = str(found.fields.get(ABOUT[kind]) or "").strip()
    if not about:
        return None
    title = _TITLE.match(text, found.end)
    start = title.end() if title else found.end
    preamble = text[:start] if text[:start].endswith("\n") else f"{text[:start]}\n"
    lines = text[start:].split("\n")
    if lines[-1] == "":
        lines.pop()
    number = text[:start].count("\n") + 1
    read = _facts(lines, number, known) if kind == "facts" else _episodes(lines, number, known)
    return Page(kind, about, preamble, tuple(_joined(read)))


def woven(page: Page, items: Sequence[Item], before: Page, kept: Collection[int]) -> Page:
    """`page` with `items`, and with what is a person's in the file as it was `before`: remarks, and the items in the
    lines that are to be `kept`. Each stands behind the item that it stood behind; where that is gone, before the next
    one that is still there, or at the end."""
    placed = {item.block for item in items}
    behind: dict[str | None, list[Item | Remark]] = {}
    ahead: dict[str | None, list[Item | Remark]] = {}
    last: str | None = None
    loose: list[Item | Remark] = []
    for element in before.elements:
        if isinstance(element, Remark) or element.line in kept:
            if last is None or last in placed:
                behind.setdefault(last, []).append(element)
            else:
                loose.append(element)
            continue
        last = element.block or last
        if loose and last in placed:
            ahead[last] = loose
            loose = []
    elements: list[Item | Remark] = list(behind.get(None, ()))
    for item in items:
        elements += [*ahead.get(item.block, ()), item, *behind.get(item.block, ())]
    return replace(page, elements=(*elements, *loose))


def _facts(lines: Sequence[str], number: int, known: Collection[str]) -> Iterator[Item | Remark]:
    fenced = _Fence()
    for at, line in enumerate(lines, number):
        text = line.rstrip()
        said = None if fenced.holds(line) else fact_line.parse(text)
        misplaced = _held(text, known) - ({said.block} if said else set())
        if said is None or misplaced:
            yield Remark(line, at, _held(text, known))
        else:
            yield Item(text, said.block, at)


def _episodes(lines: Sequence[str], number: int, known: Collection[str]) -> Iterator[Item | Remark]:
    fenced = _Fence()
    at = 0
    while at < len(lines):
        if fenced.holds(lines[at]) or not episode_item.is_item(lines[at]):
            yield Remark(lines[at], number + at, _held(lines[at], known))
            at += 1
            continue
        end = at + 1
        for following in range(at + 1, len(lines)):
            if episode_item.goes_on(lines[following]):
                end = following + 1
            elif lines[following].strip():
                break
        text = trimmed("\n".join(lines[at:end]))
        marks = [found["block"] for line in text.split("\n") if (found := fact_line.BLOCK.search(line))]
        own = [mark for mark in marks if mark in known] or marks[:1]
        if len(own) > 1 or _held(text, known) - set(own):
            yield Remark("\n".join(lines[at:end]), number + at, _held(text, known))
        else:
            yield Item(text, own[0] if own else None, number + at)
        at = end


class _Fence:
    """Follows the blocks of code, comments and mathematics in a text, line by line."""

    def __init__(self) -> None:
        self._open: str | None = None

    def holds(self, line: str) -> bool:
        """Whether `line` is within such a block, or begins or ends one."""
        if self._open is None:
            found = _FENCE.match(line) or _HIDDEN.match(line)
            if found is None:
                return False
            end = _HIDDEN_ENDS.get(found[1])
            if end is None or end not in line[found.end() :]:
                self._open = found[1]
            return True
        if self._open in _HIDDEN_ENDS:
            if _HIDDEN_ENDS[self._open] in line:
                self._open = None
            return True
        found = _FENCE.match(line)
        if found and found[1].startswith(self._open) and not line.strip().strip("`~"):
            self._open = None
        return True


def _held(text: str, known: Collection[str]) -> frozenset[str]:
    return frozenset(mark for mark in _TOKEN.findall(text) if mark in known) if "^" in text else frozenset()


def _joined(elements: Iterator[Item | Remark]) -> Iterator[Item | Remark]:
    """`elements` with neighbouring remarks as one, and without those that are empty lines alone."""
    run: list[Remark] = []

    def closed() -> Iterator[Remark]:
        if any(each.text.strip() for each in run):
            text = "\n".join(each.text for each in run)
            first = next(each.line for each in run if each.text.strip())
            yield Remark(text, first, frozenset().union(*(each.holds for each in run)))
        run.clear()

    for element in elements:
        if isinstance(element, Remark):
            run.append(element)
        else:
            yield from closed()
            yield element
    yield from closed()


def _yaml(text: str) -> str:
    """`text` as YAML's quoted scalar: JSON's, with every sign that is not drawn written by its number."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
        for char in quoted
    )
