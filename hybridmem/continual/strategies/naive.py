"""`naive`: cross-entropy on the new facts alone, the baseline of continual learning (sequential fine-tuning)."""

from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.continual.objectives import CrossEntropy

STRATEGY = ComposedStrategy(
    name="naive",
    summary="fine-tuned on the new facts alone",
    buffer=NoReplay(),
    objectives=(CrossEntropy.of,),
    exercises=frozenset(),
)
