"""`replay-only`: older facts beside the new ones, and cross-entropy alone: no distillation, no KL to the base.

Without KL, general text has nothing to be held to, and is left out.
"""

from hybridmem.continual.buffers import EqualShares
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy

STRATEGY = ComposedStrategy(
    name="replay-only",
    summary="as replay, without distillation and KL to the base",
    buffer=EqualShares(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset({"refusal", "reading"}),
)
