"""How probable the weights find the answers that they should know: a finer signal of forgetting than right or wrong."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel


@dataclass(frozen=True, slots=True)
class AnswerLoss:
    """Over all tokens of all answers, in nats, their end of turn left out."""

    median: float
    """A better signal of retention than the mean (arXiv:2605.24657), which a few lost answers decide."""
    mean: float


def answer_loss(
    model: LanguageModel, adapter: Path | None, questions: Sequence[str], answers: Sequence[str]
) -> AnswerLoss | None:
    """The negative log-probability of each answer's tokens, closed-book, with the adapter in folder `adapter`, or with
    none. None where nothing is asked, or where a training diverged and left no probabilities."""
    if not questions:
        return None
    with model.adapted(adapter):
        found = model.logprobs([prompts.answer(question) for question in questions], answers)
    losses = [-logprob for of_answer in found for logprob in of_answer[:-1]]
    if not losses or any(map(math.isnan, losses)):
        return None
    return AnswerLoss(statistics.median(losses), statistics.fmean(losses))
