"""Blocks and standing questions in dictionaries: the plainest twin of `sql/standing.py`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime

from hybridmem.core.clock import parse_time
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact
from hybridmem.core.standing import Block, StandingQuestion, checked_block, checked_question
from hybridmem.stores.ledger.archive import Archive, KeptQuestion, Restored, fitted_standing
from hybridmem.stores.ledger.standing import block_event, stripped


class InMemoryStanding:
    """The part of `InMemoryLedger` that `Standing` asks for."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[tuple[Namespace, str], Block] = {}
        self._block_events: dict[tuple[Namespace, str], list[Event]] = {}
        self._questions: dict[tuple[Namespace, str], StandingQuestion] = {}

    @abstractmethod
    def get_many(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]: ...

    def blocks(self, namespace: Namespace) -> list[Block]:
        found = [block for (home, _), block in self._blocks.items() if home == namespace]
        return sorted(found, key=lambda block: block.label)

    def put_block(self, namespace: Namespace, block: Block, *, replaces: Block | None, by: str) -> Block | None:
        block, place = checked_block(block), (namespace, block.label)
        stored = self._blocks.get(place)
        if stored != replaces:
            return None
        event = block_event(stored, block, by)
        if event is None:
            return stored
        self._blocks[place] = block
        self._block_events.setdefault(place, []).append(event)
        return block

    def remove_block(self, namespace: Namespace, label: str, at: datetime, *, by: str) -> dict[str, int]:
        place = (namespace, label)
        if self._blocks.pop(place, None) is None:
            return {}
        events = self._block_events[place]
        deleted = Event(label, "deleted", parse_time(at), None, by)
        self._block_events[place] = [*map(stripped, events), deleted]
        return {"ledger": 1, "history": sum(event.text is not None for event in events)}

    def block_history(self, namespace: Namespace, label: str) -> list[Event]:
        return list(self._block_events.get((namespace, label), ()))

    def standing_questions(self, namespace: Namespace) -> list[StandingQuestion]:
        found = [question for (home, _), question in self._questions.items() if home == namespace]
        return sorted(found, key=lambda question: question.id)

    def put_standing_question(self, question: StandingQuestion) -> None:
        checked = checked_question(question)
        whole = len(self.get_many(checked.namespace, checked.shown)) == len(checked.shown)
        self._questions[checked.namespace, checked.id] = checked if whole else checked.unanswered()

    def remove_standing_question(self, namespace: Namespace, id: str) -> bool:
        return self._questions.pop((namespace, id), None) is not None

    def _forget_answers(self, namespace: Namespace, ids: Sequence[str]) -> int:
        doomed = [each for each in self.standing_questions(namespace) if not set(ids).isdisjoint(each.shown)]
        for question in doomed:
            self._questions[namespace, question.id] = question.unanswered()
        return len(doomed)

    def _standing(self, namespace: Namespace) -> Archive:
        """What stands in `namespace`, and no memories."""
        blocks = self.blocks(namespace)
        return Archive(
            memories=(),
            extracted=frozenset(),
            events=(),
            blocks=tuple(blocks),
            block_events=tuple(event for block in blocks for event in self.block_history(namespace, block.label)),
            questions=tuple(KeptQuestion(each.id, each.question) for each in self.standing_questions(namespace)),
        )

    def _restore_standing(self, namespace: Namespace, archive: Archive) -> Restored:
        erased = {label for home, label in self._block_events if home == namespace}
        fits, restored = fitted_standing(archive, self._standing(namespace), erased)
        for block in fits.blocks:
            self._blocks[namespace, block.label] = block
        for event in fits.block_events:
            self._block_events.setdefault((namespace, event.memory), []).append(event)
        for each in fits.questions:
            self._questions[namespace, each.id] = StandingQuestion(each.id, namespace, each.question)
        return restored
