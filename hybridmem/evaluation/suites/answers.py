"""Answers about published conversations: exact match and F1 with the suite's own short answers, and what is refused
where the conversation has no answer. No model judges.

Each conversation is a memory of its own, told turn by turn, and asked on the question's day or when it has ended.
Answers of more than `SHORT` words are left out: no wording of them is the right one.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Answer
from hybridmem.evaluation.conversations import registry
from hybridmem.evaluation.conversations.base import Conversation, Question
from hybridmem.evaluation.suites.model.squad import exact_match, f1
from hybridmem.evaluation.temporary import temporary_memory
from hybridmem.metrics import bootstrap_interval, mean
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress

SHORT = 10
"""Words of the longest answer that counts."""


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    said: Answer

    @property
    def refused(self) -> bool:
        return self.said.route == "abstain"

    @property
    def exact(self) -> bool:
        return not self.refused and exact_match(self.said.text, [self.question.answer or ""])

    @property
    def overlap(self) -> float:
        return 0.0 if self.refused else f1(self.said.text, [self.question.answer or ""])


def run(
    path: str | Path,
    *,
    suite: str = "locomo",
    conversations: int | None = None,
    questions: int | None = None,
    model: str | LanguageModel | None = None,
    embedder: str | None = None,
    reader: Any = None,
    seed: int = 0,
    date: str | None = None,
    progress: Progress,
) -> dict[str, Any]:
    """Ask the questions at `path` of one of `conversations.registry.SUITES`, or of its first `conversations`; at most
    `questions` of each conversation, drawn with `seed`.

    Returns the scores over all and by type, with the 95% bootstrap interval of F1 over questions, and every answer.
    Raises `InvalidInput` and `UnknownFormat`."""
    read = registry.get(suite).load(Path(path))[:conversations]
    drawn = [(each, _drawn(each, questions, seed)) for each in read]
    total = sum(len(chosen) for _, chosen in drawn)
    if not total:
        raise InvalidInput(
            f"{path} has no question with a short answer: the benchmark needs {registry.get(suite).summary}"
        )
    asked: list[_Asked] = []
    for conversation, chosen in drawn:
        if chosen:
            progress("answer", len(asked), total)
            asked += _ask(conversation, chosen, model, embedder, reader)
    types = sorted({each.question.type for each in asked})
    return {
        "suite": suite,
        **_scores(asked, seed),
        "by_type": {type: _scores([each for each in asked if each.question.type == type], seed) for type in types},
        "conversations": len(read),
        "longer_answers": sum(not _counts(each) for conversation in read for each in conversation.questions),
        "longest_answer_words": SHORT,
        "model": str(model or "default"),
        "seed": seed,
        "date": date,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "answers": [
            {
                "question": each.question.text,
                "type": each.question.type,
                "expected": each.question.answer if each.question.answerable else None,
                "said": each.said.text,
                "route": each.said.route,
                "f1": round(each.overlap, 4) if each.question.answerable else None,
            }
            for each in asked
        ],
    }


def _counts(question: Question) -> bool:
    return not question.answerable or (question.answer is not None and len(question.answer.split()) <= SHORT)


def _drawn(conversation: Conversation, most: int | None, seed: int) -> list[Question]:
    counted = [question for question in conversation.questions if _counts(question)]
    if most is None or len(counted) <= most:
        return counted
    return Random(seed).sample(counted, most)  # noqa: S311 - a reproducible draw, not a secret


def _ask(
    conversation: Conversation,
    questions: Sequence[Question],
    model: str | LanguageModel | None,
    embedder: str | None,
    reader: Any,
) -> list[_Asked]:
    now = max(
        (at for at in (conversation.ended, *(each.asked_on for each in questions)) if at is not None),
        default=datetime.now(UTC),
    )
    with temporary_memory(
        namespace=("bench",),
        model=model,
        embedder=embedder,
        reader=reader,
        clock=lambda: now,
    ) as memory:
        for turn in conversation.turns:
            memory.add(
                turn.text,
                role=turn.role,
                speaker=turn.speaker,
                session=turn.session,
                at=turn.at or now,
                source=turn.source,
            )
        return [_Asked(each, memory.answer(each.text, reference_date=each.asked_on)) for each in questions]


def _scores(asked: Sequence[_Asked], seed: int) -> dict[str, Any]:
    answerable = [each for each in asked if each.question.answerable]
    others = [each for each in asked if not each.question.answerable]
    overlaps = [each.overlap for each in answerable]
    low, high = bootstrap_interval([overlaps], seed=seed) if overlaps else (None, None)
    return {
        "questions": len(answerable),
        "exact_match": mean(float(each.exact) for each in answerable),
        "f1": mean(overlaps),
        "f1_low": low,
        "f1_high": high,
        "refused": mean(float(each.refused) for each in answerable),
        "unanswerable": len(others),
        "unanswerable_refused": mean(float(each.refused) for each in others),
    }
