"""`replay-loss`: as `replay`, with the older facts that the adapter knows worst drawn more often."""

from hybridmem.continual.buffers import ByLoss
from hybridmem.continual.composed import ComposedStrategy

STRATEGY = ComposedStrategy(
    name="replay-loss",
    summary="as replay, and what is known badly is replayed more often",
    buffer=ByLoss(),
)
