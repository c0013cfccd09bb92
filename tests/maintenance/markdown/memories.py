"""A memory in dictionaries, its folder of Markdown, and what a person does to that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hybridmem.core.records import Episode, Fact
from hybridmem.memory import HybridMemory

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANA = ("users", "ana")


def open_memory(path: Path, clock: Callable[[], datetime] = lambda: NOON) -> HybridMemory:
    return HybridMemory.open(path, namespace=ANA, ledger="memory", embedder="hashing", clock=clock)


def twin(memory: HybridMemory, path: Path) -> HybridMemory:
    """Another memory with the same in it, ids and dates among it."""
    made = open_memory(path)
    made.ledger.restore(ANA, memory.ledger.archive(ANA))
    return made


def state(memory: HybridMemory) -> tuple[Any, Any]:
    """All that is in a memory but for the ids and positions of what came last."""
    facts = memory.ledger.facts(ANA, include_retired=True)
    values = {fact.id: fact.object for fact in facts}

    def told(fact: Fact) -> tuple[Any, ...]:
        slot = (fact.subject, fact.relation, fact.question, fact.object, fact.text)
        times = (fact.valid_from, fact.valid_to or NOON, fact.valid_to is None, fact.current, fact.replaces)
        return (*slot, *times, values.get(fact.superseded_by or "", ""), fact.evidence, fact.trust, fact.sources)

    def said(episode: Episode) -> tuple[Any, ...]:
        return episode.at, episode.role, episode.speaker or "", episode.text, episode.superseded_by is not None

    return sorted(map(told, facts)), sorted(map(said, memory.ledger.episodes(ANA)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its place."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def edit(file: Path, before: str, after: str) -> None:
    """Put `after` in the place of `before`, which is there once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, text
    file.write_text(text.replace(before, after), encoding="utf-8")


def line_of(file: Path, words: str) -> str:
    """The one line with these words, and its end."""
    (found,) = [line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if words in line]
    return found
