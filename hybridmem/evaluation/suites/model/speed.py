"""How fast a model reads and answers on this machine, one prompt at a time.

All figures are medians over prompts: what else the machine does now and then weighs on few of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.evaluation.suites.model.job_scores import ANSWER_TOKENS
from hybridmem.evaluation.suites.model.round_trip import QUESTION_TOKENS
from hybridmem.models.base import LanguageModel
from hybridmem.models.prompts import Message

Prompt = Sequence[Message]


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """Figures of one process on one machine, at a batch of one."""

    answer_ms: float
    """Time of an answer."""
    prompt_tokens: float
    """Length of the prompts that were answered."""
    answers: int
    tokens_read_per_second: float
    """Of the same prompts, answered with one token."""
    tokens_generated_per_second: float | None
    """After the prompt was read, of long answers; None where the clock is too coarse to tell."""


def model_speed(model: LanguageModel, answered: Sequence[Prompt], written: Sequence[Prompt]) -> ModelSpeed:
    """Time the prompts `answered` one by one, and those `written`, whose answers are long. Neither may be empty."""
    model.generate([answered[0]], max_new_tokens=ANSWER_TOKENS)
    whole = [_seconds(model, prompt, ANSWER_TOKENS) for prompt in answered]
    first = [_seconds(model, prompt, 1) for prompt in answered]
    tokens = [read for _, read, _ in first]
    return ModelSpeed(
        answer_ms=1000 * statistics.median(seconds for seconds, _, _ in whole),
        prompt_tokens=statistics.median(tokens),
        answers=len(answered),
        tokens_read_per_second=statistics.median(read / seconds for seconds, read, _ in first),
        tokens_generated_per_second=_generated(model, written),
    )


def _generated(model: LanguageModel, prompts: Sequence[Prompt]) -> float | None:
    """The first token comes with the reading: what the others took is the difference."""
    rates = []
    for prompt in prompts:
        first, _, _ = _seconds(model, prompt, 1)
        whole, _, tokens = _seconds(model, prompt, QUESTION_TOKENS)
        if tokens > 1 and whole > first:
            rates.append((tokens - 1) / (whole - first))
    return statistics.median(rates) if rates else None


def _seconds(model: LanguageModel, prompt: Prompt, most: int) -> tuple[float, int, int]:
    """(seconds, tokens read, tokens generated)"""
    started = time.perf_counter()
    (said,) = model.generate([prompt], max_new_tokens=most)
    return time.perf_counter() - started, said.prompt_tokens, said.tokens
