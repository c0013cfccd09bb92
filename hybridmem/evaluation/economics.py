"""When a dream has paid for itself: its seconds against those that each answer from the weights saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybridmem import metrics
from hybridmem.core.records import Answer, Route
from hybridmem.metrics import Cell

QUESTIONS = 48
"""At most so many are timed by each route."""


class Memory(Protocol):
    """The part of `HybridMemory` that is asked."""

    def answer_many(self, questions: Sequence[str], /, *, route: Route) -> Sequence[Answer]: ...


@dataclass(frozen=True, slots=True)
class Economics:
    """Costs of one memory on one machine, from one run."""

    dream_seconds: Cell
    """Of a night, on average."""
    weights_seconds: Cell
    """Of an answer from the weights, on average, asked in a batch."""
    retrieval_seconds: Cell
    weights_prompt_tokens: Cell
    retrieval_prompt_tokens: Cell

    @property
    def break_even_questions(self) -> Cell:
        """Answers from the weights after which a night has paid for itself in seconds; None where it never does."""
        dream, retrieval, weights = self.dream_seconds, self.retrieval_seconds, self.weights_seconds
        if dream is None or retrieval is None or weights is None:
            return None
        return metrics.break_even(dream, retrieval, weights)


def economics(
    dream_seconds: Iterable[float], by_weights: Sequence[Answer], by_retrieval: Sequence[Answer]
) -> Economics:
    """From the seconds of each dream, and the answers to the same questions by both routes."""
    return Economics(
        dream_seconds=metrics.mean(dream_seconds),
        weights_seconds=metrics.mean(answer.seconds for answer in by_weights),
        retrieval_seconds=metrics.mean(answer.seconds for answer in by_retrieval),
        weights_prompt_tokens=metrics.mean(answer.prompt_tokens for answer in by_weights),
        retrieval_prompt_tokens=metrics.mean(answer.prompt_tokens for answer in by_retrieval),
    )


def measured(memory: Memory, questions: Sequence[str], dream_seconds: Iterable[float]) -> Economics:
    """Ask `memory` some of `questions` by both routes, each in one batch."""
    asked = list(questions)[:QUESTIONS]
    weights = memory.answer_many(asked, route="weights") if asked else []
    retrieval = memory.answer_many(asked, route="retrieval") if asked else []
    return economics(dream_seconds, weights, retrieval)
