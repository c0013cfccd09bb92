"""`lwf`: the new facts, held to the base on general text (learning without forgetting, Li and Hoiem 2016,
arXiv:1606.09282). `naive` with that one objective more."""

from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy, KlToBase

STRATEGY = ComposedStrategy(
    name="lwf",
    summary="the new facts alone, with KL to the base on general text",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of, KlToBase.of),
    exercises=frozenset({"general"}),
)
