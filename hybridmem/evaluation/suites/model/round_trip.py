"""Whether the questions that a model writes about texts are consistent with them."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

QUESTION_TOKENS = 48
"""Room for a question and its answer."""


def round_trips(
    model: LanguageModel, texts: Sequence[str], values: Sequence[str], written: Sequence[str]
) -> list[bool]:
    """For each of `texts`, whether what was `written` is a good question about it.

    It is if it parses, if its answer is the text's value, and if `model` reads that same value out of the text when it
    is asked the question: a question about something else is found out by its answer."""
    pairs = [prompts.parse_question(said) for said in written]
    asked = [(at, pair[0]) for at, pair in enumerate(pairs) if pair is not None and is_correct(pair[1], values[at])]
    read = model.generate([prompts.answer(question, [texts[at]]) for at, question in asked])
    consistent = {at for (at, _), found in zip(asked, read, strict=True) if is_correct(found.text, values[at])}
    return [at in consistent for at in range(len(texts))]
