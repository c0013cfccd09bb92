"""What a memory looks like as pages: the facts that are believed by subject, and what was said by day."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybridmem.core.records import Episode, Fact, MemoryRecord, has_expired
from hybridmem.core.text.tokens import normalised
from hybridmem.maintenance.markdown import episode_item, fact_line
from hybridmem.maintenance.markdown.page import Kind
from hybridmem.stores.ledger.composite import belongs, whole_of
from hybridmem.workspace import Workspace

FOLDERS: dict[Kind, str] = {"facts": "facts", "episodes": "days"}
LONGEST_SUBJECT = 500
"""Characters; what is longer is no name of a file's subject, and stays out."""
LONGEST_NAME = 80
_UNSAFE = re.compile(r"[^\w .,'()&+@!=-]")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One memory and its line, or lines."""

    record: MemoryRecord
    block: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """The memories of one subject or day, in the order of the page."""

    kind: Kind
    about: str
    """The subject as it was first spelled, or the day."""
    memories: tuple[Rendered, ...]

    @property
    def key(self) -> tuple[Kind, str]:
        return page_key(self.kind, self.about)

    @property
    def name(self) -> str:
        """Where the page lies in the folder, unless somebody else's file is there."""
        return f"{FOLDERS[self.kind]}/{_file_name(self.key[1])}.md"


def page_key(kind: Kind, about: str) -> tuple[Kind, str]:
    """What tells one page from another, however a subject is spelled."""
    return kind, normalised(about) if kind == "facts" else about


def render(workspace: Workspace) -> list[RenderedPage]:
    """The pages of what the memory believes and keeps: retired facts, and what is quarantined or has expired, are not
    in them. Equal memories give equal pages."""
    ledger, namespace, now = workspace.ledger, workspace.namespace, workspace.clock()
    episodes = ledger.episodes(namespace)
    by_id = {episode.id: episode for episode in episodes}
    facts = ledger.facts(namespace)
    every: list[MemoryRecord] = [*episodes, *facts]
    shown = [
        each
        for each in every
        if not each.quarantined and not has_expired(each, now) and not _is_part(each, by_id) and _has_subject(each)
    ]
    blocks = _blocks(sorted(shown, key=lambda each: each.position))
    by_subject: dict[str, list[Fact]] = {}
    by_day: dict[str, list[Episode]] = {}
    for memory in shown:
        if isinstance(memory, Fact):
            by_subject.setdefault(normalised(memory.subject), []).append(memory)
        else:
            by_day.setdefault(memory.at.date().isoformat(), []).append(memory)
    pages = [
        RenderedPage("facts", _spelled(group), tuple(_facts(group, blocks))) for _, group in sorted(by_subject.items())
    ]
    return [
        *pages,
        *(RenderedPage("episodes", day, tuple(_episodes(group, blocks))) for day, group in sorted(by_day.items())),
    ]


def left_out(workspace: Workspace) -> int:
    """How many facts are in no page for the length of their subject."""
    return sum(not _has_subject(fact) for fact in workspace.ledger.facts(workspace.namespace))


def _facts(facts: Iterable[Fact], blocks: dict[str, str]) -> Iterable[Rendered]:
    for fact in sorted(facts, key=lambda each: (each.slot[1], each.valid_from, each.position)):
        yield Rendered(fact, blocks[fact.id], fact_line.render(fact, blocks[fact.id]))


def _episodes(episodes: Iterable[Episode], blocks: dict[str, str]) -> Iterable[Rendered]:
    for episode in sorted(episodes, key=lambda each: (each.at, each.position)):
        yield Rendered(episode, blocks[episode.id], episode_item.render(episode, blocks[episode.id]))


def _spelled(facts: Sequence[Fact]) -> str:
    return min(facts, key=lambda fact: fact.position).subject.strip()


def _has_subject(memory: MemoryRecord) -> bool:
    return isinstance(memory, Episode) or len(memory.subject) <= LONGEST_SUBJECT


def _is_part(memory: MemoryRecord, episodes: dict[str, Episode]) -> bool:
    """Whether it is a part of a memory that is shown as a whole."""
    whole = episodes.get(whole_of(memory) or "")
    return whole is not None and belongs(memory, whole)


def _blocks(memories: Iterable[MemoryRecord]) -> dict[str, str]:
    """The marks of memories, by id: the id in the letters, digits and dashes that Obsidian takes."""
    blocks: dict[str, str] = {}
    taken: set[str] = set()
    for memory in memories:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", memory.id).strip("-") or "memory"
        block = plain
        if block in taken or len(block) > LONGEST_NAME:
            # of the id alone, so that no other memory's coming or going changes it
            block = f"{plain[:LONGEST_NAME]}-{hashlib.sha256(memory.id.encode()).hexdigest()[:8]}"
        taken.add(block)
        blocks[memory.id] = block
    return blocks


def _file_name(key: str) -> str:
    """A name for a file that every system takes; a digest tells apart what would have the same."""
    plain = _UNSAFE.sub("-", key)[:LONGEST_NAME].strip(" .")
    if plain and plain == key and not _DEVICES.fullmatch(key):
        return plain
    return f"{plain or 'subject'} {hashlib.sha256(key.encode()).hexdigest()[:6]}"
