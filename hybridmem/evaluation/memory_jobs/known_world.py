"""What the weights are to know without memories, and questions about what they cannot know."""

from __future__ import annotations

from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.fact_generator import Fact, FactGenerator, world
from hybridmem.evaluation.memory_jobs.relations import Relation


class KnownWorld:
    """The world's facts, and questions about what is not in it."""

    def __init__(self, generator: FactGenerator) -> None:
        self.generator = generator
        self.facts = world(generator.relations)
        self.relations_of: dict[str, list[Relation]] = {}
        for fact in self.facts:
            self.relations_of.setdefault(fact.subject, []).append(fact.relation)

    def unknown(self) -> Fact:
        """What the world does not say: another relation of one of its subjects, or any of a stranger."""
        generator = self.generator
        while True:
            if generator.rng.random() < 0.5:
                fact = any_of(generator.rng, self.facts)
                relation = generator.relation_of(fact.relation.subject)
                if not any(generator.alike(relation, known) for known in self.relations_of[fact.subject]):
                    return Fact(fact.subject, relation, "")
            else:
                stranger = generator.fact()
                if stranger.subject not in self.relations_of:
                    return stranger
