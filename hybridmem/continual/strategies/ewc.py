"""`ewc`: the new facts, charged for moving weights that earlier nights' answers rest on.

Elastic weight consolidation (Kirkpatrick et al. 2017, arXiv:1612.00796) with one Fisher information for all nights
(Schwarz et al. 2018, arXiv:1805.06370), on the adapter's product BA rather than on A and B. `naive` with that one
penalty more; the Fisher information is as large as the adapted weights, and travels with the adapter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybridmem.continual.base import NightInput
from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.keepsakes import Fisher, spread
from hybridmem.continual.objectives import CrossEntropy
from hybridmem.continual.penalties import ElasticWeights
from hybridmem.training.examples import QUESTIONS, Renderer, by_fact, question_groups
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings

MEASURED = 64
"""Answers on which a night's Fisher information is measured, at most."""
WEIGHT = 1e6
"""Of the penalty.

Answers that are certain have next to no gradient. After a night of five facts on the bundled base the Fisher
information is 3e-7 in the mean, and all that the night moved would cost 9e-5 nats at a weight of 1. A second such night
left 0.2 of the first one's facts at a weight of 1 or 1e4, 0.4 at 1e5, 0.8 at 1e6 and all at 1e7; at 1e8 it hardly
learned. As the information grows night by night, the weight stays below the best one for two nights."""


@dataclass(frozen=True, slots=True)
class ElasticWeightConsolidation(ComposedStrategy):
    def plan(self, renderer: Renderer, night: NightInput, settings: TrainSettings) -> TrainingPlan:
        plan = ComposedStrategy.plan(self, renderer, night, settings)
        learned, _ = self._split(night)
        asked = by_fact(night.items, QUESTIONS)
        groups = question_groups(renderer, {fact.id: asked[fact.id] for fact in learned if fact.id in asked})
        fisher = night.parent / Fisher.FILE if night.parent else None
        return replace(
            plan,
            penalties=(ElasticWeights(fisher, WEIGHT * settings.penalty_weight),) if fisher and fisher.exists() else (),
            keepsake=Fisher(spread(groups, MEASURED), night.parent),
        )


STRATEGY = ElasticWeightConsolidation(
    name="ewc",
    summary="the new facts alone, and moving weights that older answers rest on is penalised",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
    relearns=True,
)
