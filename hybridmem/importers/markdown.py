"""Markdown: notes of Obsidian and basic-memory, the memory folders of agents, and the instructions of coding agents.

A note is one memory; a long one is a memory a section. Instructions are a memory a section. The key of a memory is its
place (file and headings), so that what was edited is updated at the next import.

Whose words they are: a note is the user's, unless its front matter says that it was taken from a page (`source`, `url`)
or has the fields with which agents write (`permalink`; `name` with `description`; `description` alone). Instructions
are a system prompt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.core.text.injected import without_section
from hybridmem.importers import front_matter, mem0
from hybridmem.importers.base import BrokenLine, Entry, ImportedFact, ImportedTurn, LeftOut
from hybridmem.importers.long_text import passages
from hybridmem.importers.sections import Section, has_heading, sections
from hybridmem.importers.times import moment_or_none

SOURCE = "markdown"
LONG_NOTE = 4_000
"""Characters above which a note is a memory a section."""
HOPS = 5
"""How far instructions may name further files."""
SUFFIXES = {".md", ".markdown", ".mdc"}
INSTRUCTIONS = {"agents.md", "claude.md", "claude.local.md", "gemini.md", ".cursorrules", "copilot-instructions.md"}
INDEX = "memory.md"
"""Claude Code's list of what is in its memory folder."""

_LINK = re.compile(r"\[\[([^\[\]|#\\]+)(?:(?:#|\\?\|)[^\[\]]*)?\]\]")
"""Within a table, the bar before a link's other words has a backslash."""
_DAILY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
"""The beginning of a daily note's name."""
_RELATION = re.compile(r"[-*]\s+(?:\"([^\"\n]{1,80})\"|([\w][\w /-]{0,60}?))\s+\[\[([^\[\]|]+)(?:\|[^\[\]]*)?\]\].*")
_OBSERVATION = re.compile(r"[-*]\s+\[[^\[\]\n()]{2,40}\]\s+\S.*")
_IMPORT = re.compile(r"(?<![\w`@/.])@((?:~/|\.{0,2}/)?[\w.-]+(?:/[\w.-]+)*)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_FOR_AGENTS = ({"permalink"}, {"name", "description"})


def recognises(path: Path, head: str) -> bool:
    """Whether a text is Markdown: by its beginning, a front matter or a heading, or else by the file's name."""
    if path.suffix.lower() in SUFFIXES or path.name.lower() in INSTRUCTIONS:
        return True
    found = front_matter.parse(head)
    return (found is not None and bool(found.fields)) or has_heading(head)


def read(path: Path, *, root: Path | None = None, place: str | None = None) -> Iterator[Entry]:
    """The memories of one file.

    `root`: the folder that instructions cannot name files out of (the file's own). `place`: what `root` is called in
    the keys (its path). Raises `InvalidInput` for a file that cannot be read."""
    root = (root or path.parent).resolve()
    text = front_matter.text_of(path)
    if mem0.recognises_markdown(text):
        return mem0.read_markdown(path)
    home = _Home(root, place if place is not None else str(root))
    if is_instructions(path):
        return _instructions(path, home)
    if path.name.lower() == INDEX and _has_notes_beside(path):
        return iter([LeftOut("an index")])
    return _note(path, text, home)


def is_instructions(path: Path) -> bool:
    """Whether a file has the name of one that tells agents what to do."""
    return path.name.lower() in INSTRUCTIONS or path.suffix.lower() == ".mdc"


def instructed(path: Path, root: Path) -> set[Path]:
    """The files that instructions name, and those that these name: they are instructions too."""
    read = _with_named(path, _Home(root.resolve(), ""))
    return {each[0] for each in read if isinstance(each, tuple)} - {path.resolve()}


@dataclass(frozen=True, slots=True)
class _Home:
    """The folder that is read."""

    root: Path
    place: str

    def holds(self, path: Path) -> bool:
        return path.is_relative_to(self.root)

    def key(self, path: Path) -> str:
        """What the file is called in keys."""
        return f"{self.place}/{path.resolve().relative_to(self.root).as_posix()}"

    def name(self, path: Path) -> str:
        """What the file's session is called: its path from the folder on."""
        return f"{Path(self.place).name}/{path.resolve().relative_to(self.root).as_posix()}"


def _has_notes_beside(path: Path) -> bool:
    return any(other != path for other in path.parent.glob("*.md"))


def _instructions(path: Path, home: _Home) -> Iterator[Entry]:
    """The sections of the file, and of the files that it names with ``@``."""
    for each in _with_named(path, home):
        if isinstance(each, tuple):
            yield from _by_section(each[1], each[0], home, "system")
        else:
            yield each


def _with_named(path: Path, home: _Home) -> Iterator[tuple[Path, str] | Entry]:
    """(file, body) of the file and of those that it names with ``@``, up to `HOPS` hops away."""
    seen: set[Path] = set()
    waiting = [(path.resolve(), 0)]
    while waiting:
        file, hop = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            text = front_matter.text_of(file)
        except (InvalidInput, OSError) as error:
            yield BrokenLine(0, f"{file.name}: {error}")
            continue
        found = front_matter.parse(text)
        body = without_section(text[found.end :] if found is not None else text)
        yield file, body
        named = [_named(each, file) for each in _IMPORT.findall(_CODE.sub("", body))]
        for other in dict.fromkeys(each for each in named if each is not None):
            if not home.holds(other):
                yield LeftOut("files outside the folder")
            elif hop < HOPS:
                waiting.append((other, hop + 1))
            else:
                yield LeftOut(f"files more than {HOPS} hops away")


def _named(written: str, file: Path) -> Path | None:
    """The file that ``@written`` names; None for what is no file (a person, an address)."""
    written = written.rstrip(".")
    if written.startswith("~"):
        return Path("/") / written.removeprefix("~/")  # out of every folder: the user's home is never read
    try:
        other = (file.parent / written).resolve()
        return other if other.is_file() or written.startswith(("/", "..")) else None
    except (OSError, ValueError, RuntimeError):
        return None


def _note(path: Path, text: str, home: _Home) -> Iterator[Entry]:
    found = front_matter.parse(text)
    fields: Mapping[str, Any] = found.fields if found is not None else {}
    body = (text[found.end :] if found is not None else text).strip()
    if not body:
        yield LeftOut("no words")
        return
    if front_matter.EXPORT_MARK in fields:
        yield LeftOut("files that a memory was exported to")
        return
    role = _role(fields)
    title = next((str(fields[n]) for n in ("title", "name") if isinstance(fields.get(n), (str, int))), path.stem)
    daily = _DAILY.match(path.stem)
    at = _dated(fields) or (moment_or_none(daily[0]) if daily else None)
    about = {name: value for name, value in fields.items() if value not in (None, "", [])}
    about["file"] = path.name
    if links := list(dict.fromkeys(link.strip() for link in _LINK.findall(body))):
        about["links"] = links
    if len(body) > LONG_NOTE:
        yield from _by_section(body, path, home, role, at, about, title)
    else:
        try:
            titled = body if has_heading(body) or title.casefold() in body.casefold() else f"{title}\n{body}"
            session, key = home.name(path), home.key(path)
            yield ImportedTurn(checked_text(titled), role, None, session, at, SOURCE, trust_of(role), about, key)
        except InvalidInput as error:
            yield BrokenLine(1, str(error))
    if _is_graph(body):
        yield from _relations(title, body, role)


def _is_graph(body: str) -> bool:
    """Whether a note states relations as basic-memory does: it has them under that heading, or observations."""
    lines = [line.strip() for line in body.splitlines()]
    return any(line.lower() in ("## relations", "# relations") for line in lines) or any(
        _OBSERVATION.fullmatch(line) for line in lines
    )


def _relations(title: str, body: str, role: str) -> Iterator[Entry]:
    for line in _CODE.sub("", body).splitlines():
        found = _RELATION.fullmatch(line.strip())
        if found is not None:
            relation = (found[1] or found[2]).strip().replace("_", " ")
            yield ImportedFact(title, relation, found[3].strip(), source=SOURCE, trust=trust_of(role))


def _by_section(
    body: str,
    path: Path,
    home: _Home,
    role: str,
    at: datetime | None = None,
    about: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> Iterator[Entry]:
    """A memory a section. Its key is its headings, with a number where several sections have the same."""
    file = home.key(path)
    times: Counter[tuple[str, ...]] = Counter()
    for section in sections(body):
        times[section.headings] += 1
        anchor = "/".join(section.headings)
        number = f"~{times[section.headings]}" if times[section.headings] > 1 else ""
        metadata = {
            **(about or {}),
            "file": path.name,
            **({"headings": list(section.headings)} if section.headings else {}),
        }
        try:
            for part, passage in enumerate(passages(_titled(section, title))):
                key = f"{file}#{anchor}{number}" + (f".{part}" if part else "")
                yield ImportedTurn(passage, role, None, home.name(path), at, SOURCE, trust_of(role), metadata, key)
        except InvalidInput as error:
            yield BrokenLine(1, f"{anchor or path.name}: {error}")


def _titled(section: Section, title: str | None) -> str:
    if title is None or title in section.headings:
        return section.titled
    return Section((title, *section.headings), section.text).titled


def _role(fields: Mapping[str, Any]) -> str:
    """Whose words a note is."""
    page = next((fields[n] for n in ("source", "url", "source_url") if isinstance(fields.get(n), str)), "")
    if page.lower().startswith(("http://", "https://")):
        return "document"
    given = {name for name, value in fields.items() if value not in (None, "")}
    if any(needed <= given for needed in _FOR_AGENTS) or ("description" in given and "title" not in given):
        return "assistant"
    return "user"


def _dated(fields: Mapping[str, Any]) -> datetime | None:
    names = ("created", "created_at", "date", "date_created", "modified", "updated", "updated_at", "date_modified")
    return next((at for name in names if (at := moment_or_none(fields.get(name))) is not None), None)
