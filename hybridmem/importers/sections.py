"""The sections of a Markdown text: what stands under each heading, with the headings above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading, up to the next of any level."""

    headings: tuple[str, ...]
    """From the highest to its own; empty before the first heading."""
    text: str
    """Without the heading; never empty."""

    @property
    def titled(self) -> str:
        """The text below its headings as a path."""
        return f"{' > '.join(self.headings)}\n{self.text}" if self.headings else self.text


def sections(text: str) -> Iterator[Section]:
    """The sections of `text` that have words in them, in order. What is fenced is code, and no heading.

    >>> [section.titled for section in sections("# Tests\\n## Unit\\nUse pytest.")]
    ['Tests > Unit\\nUse pytest.']
    """
    path: list[tuple[int, str]] = []
    block: list[str] = []
    fence: str | None = None
    for line in text.splitlines():
        fenced = _FENCE.match(line)
        if fenced and (fence is None or fenced[1].startswith(fence)):
            fence = fenced[1] if fence is None else None
        heading = _HEADING.fullmatch(line) if fence is None else None
        if heading is None:
            block.append(line)
            continue
        yield from _section(path, block)
        level = len(heading[1])
        path = [*((depth, title) for depth, title in path if depth < level), (level, heading[2])]
        block = []
    yield from _section(path, block)


def has_heading(text: str) -> bool:
    """Whether the first line with words is a heading."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _HEADING.fullmatch(first) is not None


def _section(path: list[tuple[int, str]], block: list[str]) -> Iterator[Section]:
    text = "\n".join(block).strip()
    if text:
        yield Section(tuple(title for _, title in path if title), text)
