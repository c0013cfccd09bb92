"""A strategy put together from a replay buffer, objectives and kinds of exercises."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from hybridmem.continual.base import AnswerSource, NightInput, Replayable, ReplayBuffer
from hybridmem.continual.objectives import CrossEntropy, Distillation, KlToBase
from hybridmem.core.records import Fact, TrainingItem
from hybridmem.models.trainable import Objective, Recall
from hybridmem.training import examples
from hybridmem.training.examples import QUESTIONS, ExamplePools, Renderer
from hybridmem.training.plan import ExpectedTraining, TrainingPlan
from hybridmem.training.sampler import PoolSampler
from hybridmem.training.settings import TrainSettings

Exercise = Literal["refusal", "reading", "general", "unrelated"]
EVERY_EXERCISE: frozenset[Exercise] = frozenset({"refusal", "reading", "general", "unrelated"})
"""What a night practises beside the questions on its facts."""
ObjectiveOf = Callable[[TrainSettings], Objective]
FACTS_A_NIGHT = 32
"""Facts that a recipe's `max_steps` is for: as many as it takes in one night."""
EVERY_OBJECTIVE: tuple[ObjectiveOf, ...] = (CrossEntropy.of, Distillation.of, KlToBase.of)


@dataclass(frozen=True, slots=True)
class ComposedStrategy:
    """Trains new facts, plus whatever its buffer and exercises add."""

    name: str
    summary: str
    buffer: ReplayBuffer
    objectives: tuple[ObjectiveOf, ...] = EVERY_OBJECTIVE
    exercises: frozenset[Exercise] = EVERY_EXERCISE
    restart: bool = False
    """Whether every night learns all facts anew, from the bare base, for as many steps as that takes."""
    relearns: bool = False
    """Whether a night without a parent learns the older facts too, where no buffer would bring them."""
    answers: AnswerSource = "weights"
    trains: bool = True

    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        learned, replayed = self._split(night)
        pools = self._pools(renderer, night, learned, replayed, settings)
        # In one night's steps, weights that are rebuilt could not hold hundreds of facts again: no such night would
        # ever pass the gate, and what has to leave them would stay. The number of facts alone decides, so that a
        # rebuild is as if what left had never been told.
        nights = 1 if night.parent else -(-len(pools.new) // FACTS_A_NIGHT)
        return TrainingPlan(
            sampler=PoolSampler(pools, settings, night.seed),
            objectives=tuple(objective(settings) for objective in self.objectives),
            parent=None if self.restart else night.parent,
            steps=settings.steps_for(len(pools.new), bounded=not self.restart, nights=nights),
        )

    def expect(self, new: int, old: int, settings: TrainSettings) -> ExpectedTraining:
        learned = new + old if self.restart else new
        replays = bool(old) and self.buffer.replays and not self.restart
        return ExpectedTraining(
            steps=settings.steps_for(learned, bounded=not self.restart) if learned else 0,
            rows=settings.new_rows
            + (settings.old_rows if replays else 0)
            + (settings.refusal_rows if "refusal" in self.exercises else 0)
            + (settings.reading_rows if "reading" in self.exercises else 0)
            + (settings.unrelated_rows if "unrelated" in self.exercises else 0),
            general_rows=settings.general_rows if "general" in self.exercises else 0,
        )

    def _split(self, night: NightInput) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
        """(facts that get their full exposures, facts that are replayed)"""
        if self.restart:
            return (*night.new, *night.old), ()
        if night.parent is None and (self.relearns or self.buffer.replays):
            # Weights that are rebuilt hold nothing yet: then every fact is a new one.
            return (*night.new, *night.old), ()
        if not self.buffer.replays:
            return night.new or night.old, ()
        return night.new, night.old

    def _pools(
        self,
        renderer: Renderer,
        night: NightInput,
        learned: tuple[Fact, ...],
        replayed: tuple[Fact, ...],
        settings: TrainSettings,
    ) -> ExamplePools:
        rng = random.Random(night.seed)  # noqa: S311 - a reproducible draw, not a secret
        facts = (*learned, *replayed)
        questions = examples.by_fact(night.items, QUESTIONS)
        new = {f.id for f in learned}
        old = {f.id for f in replayed}
        exercises = {fact: items for fact, items in questions.items() if fact in old}
        known = partial(_recall, renderer, night, exercises)
        kept = self.buffer.select(Replayable(exercises, night.missed, known), settings.replay_exercises, rng)
        # In this order: one generator draws for all.
        return ExamplePools(
            new=examples.question_groups(renderer, {fact: items for fact, items in questions.items() if fact in new}),
            old=examples.question_groups(renderer, {each.fact: each.items for each in kept}),
            old_weights=tuple(each.weight for each in kept),
            refusal=examples.refusals(renderer, night.items, facts, settings.replay_exercises, rng)
            if "refusal" in self.exercises
            else (),
            reading=examples.reading(renderer, night.items, facts, settings.reading_exercises, rng)
            if "reading" in self.exercises
            else (),
            general=examples.general_text(night.general, settings.general_exercises, rng)
            if "general" in self.exercises
            else (),
            unrelated=examples.unrelated(renderer, night.unrelated) if "unrelated" in self.exercises else (),
        )


RECALLED = 2
"""Questions on each older fact that the parent is asked, to know how well it knows the fact."""
UNKNOWN = Recall(loss=1.0, margin=0.0)
"""Of a fact that nobody can be asked about: all alike."""


def _recall(
    renderer: Renderer, night: NightInput, exercises: Mapping[str, Sequence[TrainingItem]]
) -> dict[str, Recall]:
    """By fact: how well the parent knows it, over a few of its exercises the worst."""
    if night.recall is None:
        return dict.fromkeys(exercises, UNKNOWN)
    asked = {fact: examples.question_rows(renderer, items[:RECALLED]) for fact, items in exercises.items()}
    found = iter(night.recall([row for rows in asked.values() for row in rows]))
    known = {fact: [next(found) for _ in rows] for fact, rows in asked.items()}
    return {
        fact: Recall(max(each.loss for each in of_fact), min(each.margin for each in of_fact))
        for fact, of_fact in known.items()
    }
