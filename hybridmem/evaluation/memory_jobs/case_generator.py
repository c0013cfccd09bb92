"""Draws the evaluation's cases: questions about names and values that no training document has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hybridmem.evaluation.memory_jobs.attribution_questions import AttributionQuestions
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.fact_generator import Fact, FactGenerator
from hybridmem.evaluation.memory_jobs.known_world import KnownWorld
from hybridmem.evaluation.memory_jobs.relations import Relation
from hybridmem.evaluation.memory_jobs.scenes import (
    LONGEST_PROMPT,
    Asked,
    Scene,
    SceneWriter,
    estimated_tokens,
    user_part,
)
from hybridmem.models import prompts
from hybridmem.models.prompts import Message


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation prompt, the completion that is expected, and the kind of value that it is about."""

    messages: tuple[Message, ...]
    expected: str
    kind: str


class CaseGenerator:
    """Evaluation cases, one method a job; None where a draw did not suit."""

    def __init__(self, rng: Random, relations: tuple[Relation, ...], known_forms: bool) -> None:
        self._rng = rng
        self._generator = FactGenerator(rng, relations, held_out=True, known_forms=known_forms)
        self._scenes = SceneWriter(self._generator)
        self.sayings = AttributionQuestions(self._generator, new_forms=not known_forms)
        self._world = KnownWorld(self._generator)

    def read(self, memories: int, updates: bool = False) -> Case | None:
        scene = self._scenes.scene(memories, tokens=LONGEST_PROMPT, updates=updates)
        facts = [fact for fact in scene.facts if fact.old or not updates]
        if len(scene.lines) < memories or not facts:
            return None
        fact = any_of(self._rng, facts)
        return self._case(scene, (self._generator.ask(fact), fact.value, fact.relation.object))

    def read_open(self, memories: int) -> Case | None:
        """A question about a fact that no relation covers."""
        scene = self._scenes.scene(memories, tokens=LONGEST_PROMPT, open_share=0.7)
        if len(scene.lines) < memories or not scene.opened:
            return None
        return self._case(scene, self._scenes.ask_open(scene, any_of(self._rng, scene.opened)))

    def saying(self, memories: int, ask: Callable[[Scene], Asked | None]) -> Case | None:
        """A question about who said something, when, or whether it is so."""
        scene = self._scenes.scene(memories, tokens=LONGEST_PROMPT)
        asked = ask(scene)
        return None if len(scene.lines) < memories or asked is None else self._case(scene, asked)

    def _case(self, scene: Scene, asked: Asked) -> Case | None:
        messages = prompts.answer(asked[0], scene.lines)
        if estimated_tokens(user_part(messages)) > LONGEST_PROMPT:
            return None
        return Case(tuple(messages), asked[1], asked[2])

    def read_unanswerable(self, memories: int) -> Case | None:
        scene = self._scenes.scene(memories, tokens=LONGEST_PROMPT)
        asked = self._scenes.ask_unanswerable(scene)
        return asked and self._case(scene, asked)

    def closed_world(self) -> Case:
        fact = any_of(self._rng, self._world.facts)
        return Case(tuple(prompts.answer(self._generator.ask(fact))), fact.value, fact.relation.object)

    def closed_unknown(self) -> Case:
        fact = self._world.unknown()
        return Case(tuple(prompts.answer(self._generator.ask(fact))), prompts.REFUSAL, fact.relation.object)

    def facts(self) -> Case:
        fact = self._fact()
        text = self._generator.state(fact)
        if self._rng.random() < 0.3:
            text = self._generator.in_small_talk(text)
        return Case(tuple(prompts.facts(text)), fact.line, fact.relation.object)

    def no_facts(self) -> Case:
        return Case(tuple(prompts.facts(self._generator.no_fact())), prompts.NO_FACTS, "none")

    def question(self) -> Case:
        fact = self._fact()
        return Case(tuple(prompts.question(self._generator.state(fact))), fact.value, fact.relation.object)

    def _fact(self) -> Fact:
        spoken = self._generator.told_by_speaker() if self._rng.random() < 0.2 else None
        return spoken or self._generator.fact()
