"""Training items of the ledger as examples: rows of token ids, grouped by what they are for."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hybridmem.core.records import Fact, TrainingItem
from hybridmem.models import prompts
from hybridmem.models.prompts import Message
from hybridmem.models.trainable import Example

T = TypeVar("T")

QUESTIONS = ("question", "reverse")
"""Kinds of items that ask for a fact."""


class Renderer(Protocol):
    """The part of a model that turns messages into token ids."""

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]: ...


@dataclass(frozen=True, slots=True)
class ExamplePools:
    """A night's examples. Facts' examples are grouped by fact, so that each fact is drawn as often as the others."""

    new: tuple[tuple[Example, ...], ...]
    """Questions on each fact that is learned."""
    old: tuple[tuple[Example, ...], ...] = ()
    """Questions on each older fact that is replayed."""
    old_weights: tuple[float, ...] = ()
    """How often each older fact is drawn, relative to the others."""
    refusal: tuple[Example, ...] = ()
    """Questions whose right answer is "I don't know"."""
    reading: tuple[Example, ...] = ()
    """Questions with memories in their prompt."""
    general: tuple[Example, ...] = ()
    """General text."""
    unrelated: tuple[Example, ...] = ()
    """Questions that have nothing to do with any memory, with the base's own answers."""

    def every(self) -> list[Example]:
        """All examples, once each, in a fixed order."""
        grouped = [example for group in (*self.new, *self.old) for example in group]
        return [*grouped, *self.refusal, *self.reading, *self.general, *self.unrelated]


def by_fact(items: Sequence[TrainingItem], kinds: tuple[str, ...]) -> dict[str, list[TrainingItem]]:
    """The training items of those kinds, grouped by their fact."""
    grouped: dict[str, list[TrainingItem]] = {}
    for item in items:
        if item.split == "train" and item.kind in kinds:
            grouped.setdefault(item.fact, []).append(item)
    return grouped


def sample(values: Sequence[T], limit: int, rng: random.Random) -> list[T]:
    """Up to `limit` of `values`, drawn without replacement."""
    return rng.sample(list(values), min(limit, len(values)))


def closed_book(renderer: Renderer, item: TrainingItem) -> Example:
    """`item` as a question without its memory, which the teacher alone reads (context distillation)."""
    prompt, completion = renderer.render_pair(prompts.answer(item.question), item.answer)
    teacher, _ = renderer.render_pair(prompts.answer(item.question, item.context), item.answer)
    return Example(tuple(prompt), tuple(completion), tuple(teacher), gold=True)


def question_groups(
    renderer: Renderer, grouped: Mapping[str, Sequence[TrainingItem]]
) -> tuple[tuple[Example, ...], ...]:
    """The questions on each fact, in the order of `grouped`."""
    return tuple(question_rows(renderer, items) for items in grouped.values())


def question_rows(renderer: Renderer, items: Sequence[TrainingItem]) -> tuple[Example, ...]:
    """The questions on one fact."""
    return tuple(closed_book(renderer, item) for item in items)


def refusals(
    renderer: Renderer, items: Sequence[TrainingItem], facts: Sequence[Fact], limit: int, rng: random.Random
) -> tuple[Example, ...]:
    """Up to `limit` near misses of `facts`, whose right answer is the refusal."""
    ids = {fact.id for fact in facts}
    near = [item for group in by_fact(items, ("refusal",)).values() for item in group if item.fact in ids]
    return tuple(closed_book(renderer, item) for item in sample(near, limit, rng))


def reading(
    renderer: Renderer, items: Sequence[TrainingItem], facts: Sequence[Fact], limit: int, rng: random.Random
) -> tuple[Example, ...]:
    """Up to `limit` questions over memories, half with the fact among them and half without it: the right answer is
    then the refusal."""
    by_id = {fact.id: fact for fact in facts}
    asked = [item for item in items if item.split == "train" and item.kind == "question" and item.fact in by_id]
    examples = []
    for number, item in enumerate(sample(asked, limit, rng)):
        fact = by_id[item.fact]
        context = context_for(fact, facts, rng.randint(1, 4), rng)
        answer = item.answer
        if number % 2 and len(context) > 1:
            context = [text for text in context if text != fact.text]
            answer = prompts.REFUSAL
        prompt, completion = renderer.render_pair(prompts.answer(item.question, context), answer)
        examples.append(Example(tuple(prompt), tuple(completion), tuple(prompt), gold=True))
    return tuple(examples)


def general_text(rows: Sequence[Sequence[int]], limit: int, rng: random.Random) -> tuple[Example, ...]:
    """Up to `limit` rows of token ids of general text, whose distribution is to be kept."""
    return tuple(Example((), tuple(row), (), gold=False) for row in sample(rows, limit, rng))


def unrelated(renderer: Renderer, answered: Sequence[tuple[str, str]]) -> tuple[Example, ...]:
    """Questions with the base's own answers, which it goes on to give: it rehearses what it says itself
    (self-synthesized rehearsal, Huang et al. 2024, arXiv:2403.01244)."""
    rendered = [renderer.render_pair(prompts.answer(question), answer) for question, answer in answered]
    return tuple(Example(tuple(prompt), tuple(said), tuple(prompt), gold=True) for prompt, said in rendered)


def context_for(fact: Fact, known: Sequence[Fact], distractors: int, rng: random.Random) -> list[str]:
    """The fact's text among up to `distractors` others that do not fill the same slot, in random order."""
    others = [f.text for f in known if f.slot != fact.slot and f.text != fact.text]
    context = [fact.text, *rng.sample(others, min(distractors, len(others)))]
    rng.shuffle(context)
    return context
