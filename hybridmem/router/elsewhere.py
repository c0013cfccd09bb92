"""Answers over memories by a reader that tells nothing about its probabilities.

Its certainty is put together from what can be seen: an answer in the very words of a memory that is about what the
question asks of is certain. Any other one is shown to the reader once more beside the memories, and counts as certain
if it says yes. That second word is asked for where it is needed and not otherwise: most answers cost one call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybridmem.models import prompts
from hybridmem.models.base import Generation
from hybridmem.models.prompts import Message
from hybridmem.models.reader import Reader, Reading


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over memories."""

    question: str
    memories: Sequence[str]
    """As the prompt shows them."""
    prompt: Sequence[Message]
    holds: Callable[[str], bool]
    """Whether an answer stands in the memories, word for word."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the reader said, as the router's signals read it, and whether the memories support it."""

    said: Generation
    is_supported: bool


def answer_all(reader: Reader, asked: Sequence[Asked]) -> list[Answered]:
    """An answer to each. Raises `ModelError` where the reader fails."""
    if not asked:
        return []
    first = reader.generate([each.prompt for each in asked])
    doubted = [
        number
        for number, (each, said) in enumerate(zip(asked, first, strict=True))
        if not prompts.is_refusal(said.text) and not each.holds(said.text)
    ]
    second = reader.generate(
        [prompts.confirm(asked[number].question, first[number].text, asked[number].memories) for number in doubted]
    )
    confirmed = dict(zip(doubted, second, strict=True))
    return [_answered(said, confirmed.get(number)) for number, said in enumerate(first)]


def _answered(said: Reading, second: Reading | None) -> Answered:
    is_certain = second is None or prompts.is_yes(second.text)
    prompt_tokens = said.prompt_tokens + (second.prompt_tokens if second else 0)
    tokens = said.tokens + (second.tokens if second else 0)
    if isinstance(said, Generation):
        # A second model on this machine does tell.
        return Answered(said, is_certain)
    probability = 1.0 if is_certain else 0.0
    return Answered(
        Generation(
            text=said.text,
            prompt_tokens=prompt_tokens,
            tokens=tokens,
            logprob=0.0 if is_certain else -math.inf,
            min_probability=probability,
            margin=math.inf if is_certain else 0.0,
            entropy=0.0,
        ),
        is_certain,
    )
