"""SQuAD 1.1's two scores (Rajpurkar et al. 2016, arXiv:1606.05250), and a model's on the titles that are held out.

>>> exact_match("the Denver Broncos.", ["Denver Broncos"]), f1("Denver", ["Denver Broncos"])
(True, 0.6666666666666666)
"""

from __future__ import annotations

import re
import statistics
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hybridmem.evaluation.suites.model.job_scores import ANSWER_TOKENS
from hybridmem.evaluation.suites.model.squad_paragraphs import is_held_out, read, sentences
from hybridmem.metrics import Proportion, bootstrap_interval, mean, observed_proportion
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """`text` as SQuAD compares it: lower case, no ASCII punctuation, no articles, single spaces.

    `metrics.normalised_answer` is stricter (3.5 is not 35): figures that are to be set beside others' need this one."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(said: str, answers: Sequence[str]) -> bool:
    """Whether `said` is one of `answers`, once normalised."""
    return any(normalised(said) == normalised(answer) for answer in answers)


def f1(said: str, answers: Sequence[str]) -> float:
    """The F1 of the normalised words of `said` against those of the answer that it is nearest to, in 0..1."""
    return max((_f1(normalised(said).split(), normalised(answer).split()) for answer in answers), default=0.0)


def _f1(said: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


# a model's scores


@dataclass(frozen=True, slots=True)
class SquadScores:
    """Of questions on held-out titles, each over its whole paragraph, one sentence a memory."""

    exact_match: Proportion | None
    f1: float | None
    f1_low: float | None
    f1_high: float | None
    refused: Proportion | None
    """All of them have an answer: lower is better."""
    fits: Proportion | None
    """Of the questions, those whose paragraph and answer fit what the model reads; the others count nowhere else."""
    prompt_tokens: float | None
    """Median of the prompts that fit."""


def squad_scores(model: LanguageModel, path: Path, count: int, seed: int, context: int | None) -> SquadScores:
    """Ask `model` `count` questions (or all) from the held-out titles of the file at `path`.

    `context` is how many tokens the model reads; None for no bound. Raises `InvalidInput`."""
    asked = [
        (question, sentences(paragraph.context))
        for paragraph in read(path)
        if is_held_out(paragraph.title)
        for question in paragraph.questions
    ]
    asked = Random(seed).sample(asked, min(count, len(asked)))  # noqa: S311 - a reproducible draw, not a secret
    prompted = [(question, prompts.answer(question.text, lines)) for question, lines in asked]
    lengths = [model.count_tokens(prompt) for _, prompt in prompted]
    fits = [context is None or length + ANSWER_TOKENS <= context for length in lengths]
    kept = [each for each, fit in zip(prompted, fits, strict=True) if fit]
    said = [g.text for g in model.generate([prompt for _, prompt in kept], max_new_tokens=ANSWER_TOKENS)]
    answered = [(text, question.answers) for text, (question, _) in zip(said, kept, strict=True)]
    overlaps = [f1(text, answers) for text, answers in answered]
    low, high = bootstrap_interval([overlaps], seed=seed) if overlaps else (None, None)
    return SquadScores(
        exact_match=observed_proportion(exact_match(text, answers) for text, answers in answered),
        f1=mean(overlaps),
        f1_low=low,
        f1_high=high,
        refused=observed_proportion(prompts.is_refusal(text) for text, _ in answered),
        fits=observed_proportion(fits),
        prompt_tokens=statistics.median(length for length, fit in zip(lengths, fits, strict=True) if fit)
        if kept
        else None,
    )
