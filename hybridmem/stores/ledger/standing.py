"""The part of a ledger that keeps what stands beside the memories: blocks, and questions with their answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Event
from hybridmem.core.standing import Block, StandingQuestion


class Standing(Protocol):
    """Blocks by their labels, with their histories, and standing questions by their ids."""

    def blocks(self, namespace: Namespace) -> list[Block]:
        """In the order of their labels."""
        ...

    def put_block(self, namespace: Namespace, block: Block, *, replaces: Block | None, by: str) -> Block | None:
        """Store `block` in place of `replaces` (None: there is no such block yet); its `updated_at` and `by` go into
        its history. One that says the same as the stored one changes nothing. Returns what is stored; None, and stores
        nothing, where another than `replaces` is there: somebody was faster. Raises `InvalidInput`."""
        ...

    def remove_block(self, namespace: Namespace, label: str, at: datetime, *, by: str) -> dict[str, int]:
        """Erase a block, and the texts in its history; returns the rows removed by place, none where there is no such
        block. No byte of its text stays in the database."""
        ...

    def block_history(self, namespace: Namespace, label: str) -> list[Event]:
        """What became of the block, oldest first; `Event.by` is who did it. Empty where there never was one; that of an
        erased block has no texts."""
        ...

    def standing_questions(self, namespace: Namespace) -> list[StandingQuestion]:
        """In the order of their ids, which is that of their making."""
        ...

    def put_standing_question(self, question: StandingQuestion) -> None:
        """Insert, or replace the one of the same id. Where a memory that the answer was read from is not there any
        more, only the question is stored."""
        ...

    def remove_standing_question(self, namespace: Namespace, id: str) -> bool:
        """Erase a question with its answer; False where there is none."""
        ...


def block_event(before: Block | None, after: Block, by: str) -> Event | None:
    """The line of its history for a block that becomes `after`; None where nothing changed."""
    if before is None:
        return Event(after.label, "added", after.updated_at, after.value, by)
    changes: dict[str, Any] = {
        name: [getattr(before, name), getattr(after, name)]
        for name in ("description", "limit", "read_only")
        if getattr(before, name) != getattr(after, name)
    }
    if before.value == after.value and not changes:
        return None
    kind: Any = "updated" if before.value != after.value else "edited"
    return Event(after.label, kind, after.updated_at, after.value, by, changes)


def stripped(event: Event) -> Event:
    """`event` of an erased block: when and by whom, without its words."""
    return replace(event, text=None, changes={})
