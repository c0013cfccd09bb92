"""Standing questions of one namespace: each is answered once, and again when a memory that bears on it came or went."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput, UnknownQuestion
from hybridmem.core.records import Episode, Fact, Hit, checked_text, has_expired, new_id
from hybridmem.core.standing import StandingQuestion
from hybridmem.core.text.tokens import normalised
from hybridmem.models.reader import Reader
from hybridmem.reflection.reflect import over
from hybridmem.reflection.shown import MEMORIES_SHOWN, find
from hybridmem.router.context import MEMORIES_READ
from hybridmem.standing.candidates import last_change
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.workspace import Workspace

MOST = 100
"""Standing questions of a namespace: each costs a search when something changes."""


class StandingQuestions:
    """Questions whose answers are kept, with the memories that they rest on.

    A night keeps them fresh, and so does `answers`. An answer whose evidence was deleted, replaced, set aside or has
    expired is not given any more, whether or not somebody has answered anew."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add(self, question: str) -> StandingQuestion:
        """Keep `question` answered from now on; one that is there in the same words is that one. Calls no model. Raises
        `InvalidInput`."""
        asked = checked_text(arguments.text("question", question)).strip()
        kept = self.list()
        for each in kept:
            if normalised(each.question) == normalised(asked):
                return each
        if len(kept) >= MOST:
            raise InvalidInput(f"there are {MOST} standing questions: remove one first")
        made = StandingQuestion(new_id("sq"), self._workspace.namespace, asked)
        self._workspace.ledger.put_standing_question(made)
        return made

    def list(self) -> builtins.list[StandingQuestion]:
        """All of them as they were last answered, oldest first. Calls no model."""
        kept = self._workspace.ledger.standing_questions(self._workspace.namespace)
        answered = [question.position for question in kept if question.statements]
        changed = _changes(self._workspace, min(answered)) if answered else {}
        return [question if _stands(self._workspace, question, changed) else question.unanswered() for question in kept]

    def answers(self) -> builtins.list[StandingQuestion]:
        """All of them, answered anew where a memory that bears on them came, changed or went since; as they
        are in a folder that cannot be written to. Raises `ModelError`."""
        is_writable = not self._workspace.folder.read_only
        if is_writable and any(_may_have_changed(self._workspace, question) for question in self.list()):
            for _ in refreshed(self._workspace, self._workspace.reader):
                pass
        return self.list()

    def remove(self, id: str) -> None:
        """Erase a question with its answer. Raises `UnknownQuestion`."""
        if not self._workspace.ledger.remove_standing_question(self._workspace.namespace, arguments.text("id", id)):
            raise UnknownQuestion(f"there is no standing question {id!r}", "hybridmem question list shows the ids")


def refreshed(workspace: Workspace, reader: Reader) -> Iterator[StandingQuestion]:
    """Answer anew those standing questions on which something bears that came, changed or went: each of these, once it
    is stored. Raises `ModelError`."""
    for question in workspace.ledger.standing_questions(workspace.namespace):
        answered = _answered_anew(workspace, question, reader)
        if answered is not None:
            yield answered


def _answered_anew(workspace: Workspace, question: StandingQuestion, reader: Reader) -> StandingQuestion | None:
    # Before the search: what changes meanwhile is looked at the next time.
    position = last_change(workspace.ledger, workspace.namespace)
    hits = find(workspace, question.question, MEMORIES_SHOWN)
    if _is_fresh(workspace, question, hits):
        if position != question.position:
            workspace.ledger.put_standing_question(replace(question, position=position))
        return None
    reflection = over(hits, question.question, reader)
    answered = replace(
        question,
        statements=reflection.statements,
        shown=reflection.shown,
        read_by=reflection.read_by,
        answered_at=workspace.clock(),
        position=position,
    )
    workspace.ledger.put_standing_question(answered)
    return answered


def _is_fresh(workspace: Workspace, question: StandingQuestion, hits: tuple[Hit, ...]) -> bool:
    """Whether the answer was read from what a search finds now, and nothing of it has changed since."""
    changed = _changes(workspace, question.position)
    if question.answered_at is None or not _stands(workspace, question, changed):
        return False
    if not {hit.id for hit in hits}.issuperset(question.shown):
        return False
    read = max(len(question.shown), MEMORIES_READ)
    return changed.keys().isdisjoint(hit.id for hit in hits[:read])


def _may_have_changed(workspace: Workspace, question: StandingQuestion) -> bool:
    """Whether anything at all happened in the memory since `question` was looked at."""
    if question.answered_at is None:
        return True
    return bool(workspace.ledger.changes(workspace.namespace, after=question.position, limit=1))


def _changes(workspace: Workspace, position: int) -> dict[str, int]:
    """The position of the last change of each memory that changed after `position`."""
    changed: dict[str, int] = {}
    while entries := workspace.ledger.changes(workspace.namespace, after=position):
        changed |= {entry.memory: entry.position for entry in entries}
        position = entries[-1].position
    return changed


def _stands(workspace: Workspace, question: StandingQuestion, changed: Mapping[str, int]) -> bool:
    """Whether every memory that the answer cites is there, may be cited now, and is as it was when it was read.

    `changed` has the last changes since then."""
    cited = list(dict.fromkeys(id for statement in question.statements for id in statement.sources))
    if any(changed.get(id, 0) > question.position for id in cited):
        return False
    found = workspace.ledger.get_many(workspace.namespace, cited)
    return len(found) == len(cited) and all(_may_be_cited(memory, workspace) for memory in found.values())


def _may_be_cited(memory: Episode | Fact, workspace: Workspace) -> bool:
    now = workspace.clock()
    if memory.quarantined or has_expired(memory, now):
        return False
    return isinstance(memory, Episode) or holds(memory, now)
