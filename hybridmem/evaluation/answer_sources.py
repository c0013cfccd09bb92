"""Where a benchmark takes its answers from: the weights, the store, or a prompt that holds all of the memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hybridmem.core.records import Answer, Episode, Route
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.continual.base import AnswerSource

ANSWER_TOKENS = 24
"""Room for an answer, as `LanguageModel.generate` leaves it by default."""
_PAGE = 500


class Memory(Protocol):
    """The part of `HybridMemory` that is asked."""

    @property
    def model(self) -> LanguageModel: ...

    def list(self, *, limit: int, after: int | None, kind: Any) -> Sequence[Any]: ...

    def answer_many(self, questions: Sequence[str], /, *, route: Route) -> Sequence[Answer]: ...


class Source(Protocol):
    """Answers questions."""

    def answer(self, questions: Sequence[str]) -> list[Answer]: ...

    @property
    def left_out(self) -> int | None:
        """Texts of the memory that the last prompts had no room for; None where prompts do not hold all of it."""
        ...


def answer_source(memory: Memory, kind: AnswerSource) -> Source:
    """The source that a strategy's `answers` names."""
    return FullContext(memory) if kind == "context" else ForcedRoute(memory, kind)


class ForcedRoute:
    """The memory's own answers, by one route."""

    left_out: int | None = None

    def __init__(self, memory: Memory, route: Route) -> None:
        self._memory, self._route = memory, route

    def answer(self, questions: Sequence[str]) -> list[Answer]:
        return list(self._memory.answer_many(questions, route=self._route))


class FullContext:
    """The bare model with every text of the memory in its prompt that is not in quarantine, oldest first; the
    newest where not all of them fit.

    What a memory is worth shows beside it: it forgets nothing that fits, and pays for that with every question."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.left_out: int | None = 0

    def answer(self, questions: Sequence[str]) -> list[Answer]:
        started = time.perf_counter()
        model = self._memory.model
        texts = [episode.text for episode in episodes(self._memory) if not episode.quarantined]
        kept = texts[len(texts) - _newest_that_fit(model, texts, questions) :]
        self.left_out = len(texts) - len(kept)
        with model.adapted(None):
            said = model.generate(
                [prompts.answer(question, kept) for question in questions], max_new_tokens=ANSWER_TOKENS
            )
        seconds = (time.perf_counter() - started) / max(1, len(questions))
        return [
            Answer(
                each.text,
                "abstain" if prompts.is_refusal(each.text) else "retrieval",
                each.min_probability,
                prompt_tokens=each.prompt_tokens,
                seconds=seconds,
            )
            for each in said
        ]


def episodes(memory: Memory) -> Iterator[Episode]:
    """Every episode, oldest first."""
    after: int | None = None
    while page := memory.list(limit=_PAGE, after=after, kind="episode"):
        yield from page
        after = page[-1].position


def _newest_that_fit(model: LanguageModel, texts: Sequence[str], questions: Sequence[str]) -> int:
    """How many of `texts`, counted from the last, leave room for the longest of `questions` and an answer."""
    context: int | None = getattr(model, "context_length", None)
    if context is None or not questions:
        return len(texts)
    longest = max(questions, key=lambda question: model.count_tokens(prompts.answer(question)))
    fitting, too_many = 0, len(texts) + 1
    while too_many - fitting > 1:
        tried = (fitting + too_many) // 2
        tokens = model.count_tokens(prompts.answer(longest, texts[len(texts) - tried :]))
        if tokens + ANSWER_TOKENS <= context:
            fitting = tried
        else:
            too_many = tried
    return fitting
