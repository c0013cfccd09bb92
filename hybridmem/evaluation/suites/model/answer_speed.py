"""How long somebody waits for an answer, and whether its faster way says the same.

The faster way is `models.base.generate_answers`, the exact one `generate`. Both are timed in turn, so that what else
the machine does weighs on both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hybridmem.evaluation.memory_jobs.case_generator import Case
from hybridmem.metrics import Proportion, is_correct, observed_proportion
from hybridmem.models import prompts
from hybridmem.models.base import Generation, LanguageModel, generate_answers
from hybridmem.models.prompts import Message

RANK = 8
"""Of the adapter that is in force while the weights are asked."""
_QUESTION = "Question: "
Prompt = Sequence[Message]


@dataclass(frozen=True, slots=True)
class AnswerSpeed:
    """Medians over single prompts."""

    over_memories_ms: float
    """An answer over the memories of its prompt."""
    from_weights_ms: float
    """An answer to the question alone, with an adapter in force."""
    exact_over_memories_ms: float
    exact_from_weights_ms: float
    answers: int
    """Prompts of each kind."""


@dataclass(frozen=True, slots=True)
class AnswerAgreement:
    """The faster way and the exact one on the same cases."""

    same: Proportion | None
    """Of the answers, those with the same words."""
    right: Proportion | None
    exact_right: Proportion | None


def answer_speed(model: LanguageModel, asked: Sequence[Prompt]) -> AnswerSpeed:
    """Time the prompts `asked`, which have memories, and their questions without these. There must be one."""
    alone = [prompts.answer(_question(prompt)) for prompt in asked]
    fast, exact = _seconds(model, asked)
    with _adapted(model):
        fast_alone, exact_alone = _seconds(model, alone)
    return AnswerSpeed(
        over_memories_ms=1000 * fast,
        from_weights_ms=1000 * fast_alone,
        exact_over_memories_ms=1000 * exact,
        exact_from_weights_ms=1000 * exact_alone,
        answers=len(asked),
    )


def answer_agreement(model: LanguageModel, cases: Sequence[Case]) -> AnswerAgreement:
    """Answer those of `cases` that ask a question in both ways."""
    asked = [case for case in cases if _QUESTION in case.messages[-1]["content"]]
    messages = [list(case.messages) for case in asked]
    said, exact = generate_answers(model, messages), model.generate(messages)
    return AnswerAgreement(
        same=observed_proportion(one.text == other.text for one, other in zip(said, exact, strict=True)),
        right=observed_proportion(_is_right(each, case) for each, case in zip(said, asked, strict=True)),
        exact_right=observed_proportion(_is_right(each, case) for each, case in zip(exact, asked, strict=True)),
    )


def _is_right(said: Generation, case: Case) -> bool:
    if prompts.is_refusal(case.expected):
        return prompts.is_refusal(said.text)
    return is_correct(said.text, case.expected)


def _question(prompt: Prompt) -> str:
    return prompt[-1]["content"].rpartition(_QUESTION)[2]


def _seconds(model: LanguageModel, asked: Sequence[Prompt]) -> tuple[float, float]:
    """(of the faster way, of the exact one): medians."""
    ways: tuple[Callable[[Sequence[Prompt]], object], ...] = (
        lambda batch: generate_answers(model, batch),
        lambda batch: model.generate(batch),
    )
    for way in ways:
        way([asked[0]])  # What is made at the first call is no part of an answer.
    taken: tuple[list[float], ...] = ([], [])
    for prompt in asked:
        for way, seconds in zip(ways, taken, strict=True):
            started = time.perf_counter()
            way([prompt])
            seconds.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


@contextmanager
def _adapted(model: LanguageModel) -> Iterator[None]:
    """With a new adapter in force, where `model` has weights: it changes nothing, and takes as long as any."""
    from hybridmem.models.huggingface.lora import lora_config
    from hybridmem.models.huggingface.model import HuggingFaceModel

    if not isinstance(model, HuggingFaceModel):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        with model.new_adapter(lora_config(model.module, RANK, 2 * RANK), seed=0) as new:
            new.save(Path(folder))
        with model.adapted(Path(folder)):
            yield
        model.forget(Path(folder))
