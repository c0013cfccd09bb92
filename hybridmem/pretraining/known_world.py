"""What the weights are to know without memories, and questions about what they cannot know."""

from __future__ import annotations

from hybridmem.pretraining.drawing import any_of
from hybridmem.pretraining.relations import Relation
from hybridmem.pretraining.teller import Fact, FactGenerator, world


class KnownWorld:
    """The world's facts, and questions about what is not in it."""

    def __init__(self, teller: FactGenerator) -> None:
        self.teller = teller
        self.facts = world(teller.relations)
        self.relations_of: dict[str, list[Relation]] = {}
        for fact in self.facts:
            self.relations_of.setdefault(fact.subject, []).append(fact.relation)

    def unknown(self) -> Fact:
        """What the world does not say: another relation of one of its subjects, or any of a stranger."""
        teller = self.teller
        while True:
            if teller.rng.random() < 0.5:
                fact = any_of(teller.rng, self.facts)
                relation = teller.relation_of(fact.relation.subject)
                if not any(teller.alike(relation, known) for known in self.relations_of[fact.subject]):
                    return Fact(fact.subject, relation, "")
            else:
                stranger = teller.fact()
                if stranger.subject not in self.relations_of:
                    return stranger
