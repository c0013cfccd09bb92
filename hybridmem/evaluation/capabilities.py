"""What a model could do before it learned anybody's memories: 200 general questions, each with four answers to choose
from."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

_SOURCE = Path(__file__).with_name("capabilities.tsv")


@dataclass(frozen=True, slots=True)
class Choice:
    """One question, its right answer and the others that are offered."""

    question: str
    right: str
    wrong: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        return (self.right, *self.wrong)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Proportion of the questions whose right answer is the most probable of its options."""

    base: float
    adapted: float


def choices() -> tuple[Choice, ...]:
    """The fixed set: everyday things, words and numbers, none of which a night practises."""
    with _SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return tuple(Choice(question, right, tuple(wrong)) for question, right, *wrong in rows)


def capabilities(model: LanguageModel, adapter: Path | None) -> Capabilities | None:
    """How many general questions the base answers, and how many with the adapter in folder `adapter`.

    Nothing is generated: a model that was taught to refuse what it was not told would refuse here too, whatever it
    knows. Options are compared by the mean log-probability of their tokens, so that short ones have no advantage, and
    without the end of the turn, which says nothing of the answer. None for a model without weights, or where a
    training diverged and left no probabilities."""
    from hybridmem.models.huggingface.model import HuggingFaceModel

    if not isinstance(model, HuggingFaceModel):
        return None
    asked = choices()
    base = proportion_right(model, None, asked)
    adapted = base if adapter is None else proportion_right(model, adapter, asked)
    return None if base is None or adapted is None else Capabilities(base, adapted)


def proportion_right(model: LanguageModel, adapter: Path | None, asked: Sequence[Choice]) -> float | None:
    """How many of `asked` have their right answer as the most probable option; a tie is wrong. None where there are
    no probabilities."""
    with model.adapted(adapter):
        found = iter(
            model.logprobs(
                [prompts.answer(choice.question) for choice in asked for _ in choice.options],
                [option for choice in asked for option in choice.options],
            )
        )
    right = 0
    for choice in asked:
        means = [sum(tokens[:-1]) / max(1, len(tokens) - 1) for tokens in (next(found) for _ in choice.options)]
        if any(map(math.isnan, means)):
            return None
        right += means[0] > max(means[1:])
    return right / len(asked)
