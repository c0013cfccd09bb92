"""What a night trains on: the new facts beside replayed older ones, refusals, reading exercises and general text.

The ledger keeps every exercise of every fact that still stands, so that replay is lossless: no generative or
compressed buffer is needed (compare Rolnick et al. 2019, arXiv:1811.11682). The storage policy (`storage_policy`) says
which of the old exercises a night sees; the sampler (`rows`) says which a step sees.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hybridmem.core.records import Fact, TrainingItem
from hybridmem.dreaming.recipes import TrainSettings
from hybridmem.dreaming.steps.compose import context_for
from hybridmem.models import prompts
from hybridmem.models.prompts import Message

OLD_EXERCISES = 768
"""At most so many replayed exercises a night; the cost of a night stays flat as facts gather."""
T = TypeVar("T")

READING_EXERCISES = 96
GENERAL_ROWS = 48


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a batch, in token ids."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    teacher_prompt: tuple[int, ...]
    """What the base reads when it teaches: the prompt with the memory in it, or the same prompt to be preserved."""
    gold: bool
    """Whether `completion` is the right answer (cross-entropy), or just text whose distribution is to be kept."""


class Renderer(Protocol):
    """The part of a model that turns messages into token ids."""

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]: ...


@dataclass(frozen=True, slots=True)
class ExamplePools:
    """A night's examples. Facts' examples are grouped by fact, so that each fact is drawn as often as the others."""

    new: tuple[tuple[Example, ...], ...]
    old: tuple[tuple[Example, ...], ...] = ()
    old_weights: tuple[float, ...] = ()
    refusal: tuple[Example, ...] = ()
    reading: tuple[Example, ...] = ()
    general: tuple[Example, ...] = ()

    def every(self) -> list[Example]:
        """All examples, once each, in a fixed order."""
        grouped = [example for group in (*self.new, *self.old) for example in group]
        return [*grouped, *self.refusal, *self.reading, *self.general]


def by_fact(items: Sequence[TrainingItem], kinds: tuple[str, ...]) -> dict[str, list[TrainingItem]]:
    """The training items of those kinds, grouped by their fact."""
    grouped: dict[str, list[TrainingItem]] = {}
    for item in items:
        if item.split == "train" and item.kind in kinds:
            grouped.setdefault(item.fact, []).append(item)
    return grouped


def storage_policy(
    grouped: Mapping[str, Sequence[TrainingItem]], limit: int, rng: random.Random
) -> dict[str, list[TrainingItem]]:
    """An equal share of `limit` items for every fact, at least one each."""
    share = max(1, limit // max(1, len(grouped)))
    return {fact: rng.sample(list(items), min(share, len(items))) for fact, items in grouped.items()}


def build_examples(
    renderer: Renderer,
    new: Sequence[Fact],
    old: Sequence[Fact],
    items: Sequence[TrainingItem],
    weak: Mapping[str, float],
    general: Sequence[Sequence[int]],
    *,
    replay: bool,
    seed: int,
) -> ExamplePools:
    """A night's examples from the ledger's `items`.

    `weak` weighs old facts that the last audit missed above 1; `general` is rows of token ids of general text.
    With `replay` off: the questions on the new facts and nothing else, as naive fine-tuning has them.
    """
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    ids = {f.id for f in new}
    questions = by_fact(items, ("question", "reverse"))
    fresh = tuple(tuple(_exercise(renderer, i) for i in group) for fact, group in questions.items() if fact in ids)
    if not replay:
        return ExamplePools(new=fresh)
    standing = {f.id for f in old}
    kept = storage_policy({f: g for f, g in questions.items() if f in standing}, OLD_EXERCISES, rng)
    refusals = [i for group in by_fact(items, ("refusal",)).values() for i in group if i.fact in ids | standing]
    return ExamplePools(
        new=fresh,
        old=tuple(tuple(_exercise(renderer, i) for i in group) for group in kept.values()),
        old_weights=tuple(1.0 + weak.get(fact, 0.0) for fact in kept),
        refusal=tuple(_exercise(renderer, i) for i in _sample(refusals, OLD_EXERCISES, rng)),
        reading=tuple(_reading(renderer, [*new, *old], items, rng)),
        general=tuple(Example((), tuple(row), (), gold=False) for row in _sample(general, GENERAL_ROWS, rng)),
    )


def _sample(values: Sequence[T], limit: int, rng: random.Random) -> list[T]:
    return rng.sample(list(values), min(limit, len(values)))


def _exercise(renderer: Renderer, item: TrainingItem) -> Example:
    prompt, completion = renderer.render_pair(prompts.answer(item.question), item.answer)
    teacher, _ = renderer.render_pair(prompts.answer(item.question, item.context), item.answer)
    return Example(tuple(prompt), tuple(completion), tuple(teacher), gold=True)


def _reading(
    renderer: Renderer, facts: Sequence[Fact], items: Sequence[TrainingItem], rng: random.Random
) -> list[Example]:
    """Questions over a context, half with the fact in it and half without (the answer is then the refusal)."""
    by_id = {f.id: f for f in facts}
    asked = [i for i in items if i.split == "train" and i.kind == "question" and i.fact in by_id]
    examples = []
    for number, item in enumerate(_sample(asked, READING_EXERCISES, rng)):
        fact = by_id[item.fact]
        context = context_for(fact, facts, rng.randint(1, 4), rng)
        answer = item.answer
        if number % 2 and len(context) > 1:
            context = [text for text in context if text != fact.text]
            answer = prompts.REFUSAL
        prompt, completion = renderer.render_pair(prompts.answer(item.question, context), answer)
        examples.append(Example(tuple(prompt), tuple(completion), tuple(prompt), gold=True))
    return examples


@dataclass(frozen=True, slots=True)
class Sampler:
    """The rows of each step: a pure function of the seed and the step's number, so that a resumed training sees
    what it would have seen."""

    pools: ExamplePools
    settings: TrainSettings
    seed: int

    def rows(self, step: int) -> list[Example]:
        rng = random.Random(f"{self.seed}/{step}")  # noqa: S311 - a reproducible draw, not a secret
        settings, pools = self.settings, self.pools
        batch = self._of_facts(pools.new, None, settings.new_rows, rng)
        batch += self._of_facts(pools.old, pools.old_weights, settings.old_rows, rng)
        for pool, count in (
            (pools.refusal, settings.refusal_rows),
            (pools.reading, settings.reading_rows),
            (pools.general, settings.general_rows),
        ):
            batch += [rng.choice(pool) for _ in range(count if pool else 0)]
        return batch

    @staticmethod
    def _of_facts(
        groups: Sequence[Sequence[Example]], weights: Sequence[float] | None, count: int, rng: random.Random
    ) -> list[Example]:
        if not groups:
            return []
        if weights is None:
            # Whole rounds first, so that no fact of a small night is left out by chance.
            order = [g for _ in range(count // len(groups)) for g in groups]
            order += rng.sample(list(groups), count % len(groups))
        else:
            order = rng.choices(groups, weights=weights, k=count)
        return [rng.choice(group) for group in order]


def steps_of(new_facts: int, settings: TrainSettings) -> int:
    """How many steps give every new fact its exposures, within the recipe's bounds: at most so many are trained."""
    wanted = -(-settings.exposures * new_facts // settings.new_rows)
    return max(settings.min_steps, min(settings.max_steps, wanted))
