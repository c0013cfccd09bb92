"""What a model is shown for one question: memories, numbered and in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybridmem.core.records import Hit
from hybridmem.models import prompts
from hybridmem.router.context import without_replaced
from hybridmem.workspace import Workspace

MEMORIES_SHOWN = 20
"""Memories that a reflection reads, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The memories of one prompt. Their numbers are their places, from 1."""

    hits: tuple[Hit, ...] = ()
    """Oldest first."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(hit.id for hit in self.hits)

    @property
    def lines(self) -> list[str]:
        """One for each memory, with its day and its speaker."""
        return [prompts.memory(hit.text, speaker=hit.speaker, at=hit.at) for hit in self.hits]

    @property
    def quoted(self) -> list[str]:
        """One for each memory, as a router's prompt has it: a small model reads a day for a part of what was said."""
        return [hit.quoted for hit in self.hits]


def find(workspace: Workspace, question: str, limit: int) -> tuple[Hit, ...]:
    """The memories nearest to `question`, best first: those that hold now, without what was replaced and without
    questions that were asked before."""
    now = workspace.clock()
    workspace.ledger.expire_due(workspace.namespace, now)
    workspace.indexes.catch_up(of=workspace.namespace)
    found = workspace.retrieval.find(
        workspace.namespace,
        question,
        limit=limit,
        questions=False,
        half_life=workspace.policy.half_life,
        reference_date=now,
    )
    return without_replaced(found).hits


def fitting(hits: Sequence[Hit], fits: Callable[[Shown], bool]) -> Shown:
    """The best of `hits` that go into one prompt together: from the end of the list, the least likely ones go first."""
    left = list(hits)
    while left and not fits(_in_time(left)):
        left.pop()
    return _in_time(left)


def _in_time(hits: Sequence[Hit]) -> Shown:
    return Shown(tuple(sorted(hits, key=lambda hit: hit.at.timestamp() if hit.at else 0.0)))
