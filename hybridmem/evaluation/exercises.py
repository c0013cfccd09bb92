"""The exercises of a night whose facts are stated: what reading and curating would have made of them, without a model.

A benchmark of the training alone starts here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from random import Random
from typing import Literal

from hybridmem.continual import registry as strategies
from hybridmem.continual.base import NightInput
from hybridmem.core.clock import utc_now
from hybridmem.core.records import Fact, TrainingItem
from hybridmem.dreaming.recipes import Recipe
from hybridmem.evaluation.fiction import unrelated
from hybridmem.evaluation.stream import StreamFact
from hybridmem.models.prompts import REFUSAL
from hybridmem.models.trainable import TrainableModel
from hybridmem.training.plan import TrainingPlan

QUESTIONS = 6
"""Of each fact."""
GENERAL_ROWS = 8
_NAMESPACE = ("bench",)


def first_night(model: TrainableModel, stated: Sequence[StreamFact], recipe: Recipe, seed: int) -> TrainingPlan:
    """How the recipe's strategy would train the facts in `stated` in a memory's first night."""
    facts, items = exercises(stated, seed)
    night = NightInput(
        new=tuple(facts),
        old=(),
        items=tuple(items),
        missed={},
        general=_general(model, recipe.train.general_tokens),
        parent=None,
        seed=seed,
    )
    return strategies.get(recipe.strategy).plan(model, night, recipe.train)


def exercises(stated: Sequence[StreamFact], seed: int) -> tuple[list[Fact], list[TrainingItem]]:
    """Facts, and for each as many questions as a dream writes and as many refusals."""
    facts, items, rng = [], [], Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    kinds: tuple[tuple[Literal["question", "refusal"], str], ...] = (("question", ""), ("refusal", REFUSAL))
    for each in stated:
        facts.append(Fact(each.id, _NAMESPACE, "x", each.relation, each.answer, text=each.text, valid_from=utc_now()))
        for number in range(QUESTIONS):
            asked = rng.choice(each.test_questions)
            for kind, answer in kinds:
                items.append(
                    TrainingItem(
                        id=f"{each.id}-{kind}-{number}",
                        namespace=_NAMESPACE,
                        fact=each.id,
                        kind=kind,
                        question=asked,
                        answer=answer or each.answer,
                        context=(each.text,),
                        split="train",
                    )
                )
    return facts, items


def _general(model: TrainableModel, length: int) -> tuple[tuple[int, ...], ...]:
    """Rows of `length` tokens of plain text."""
    text = [token for question, answer in unrelated() for token in model.encode_text(f"{question} {answer}. ")]
    endless = cycle(text)
    return tuple(tuple(islice(endless, length)) for _ in range(GENERAL_ROWS))
