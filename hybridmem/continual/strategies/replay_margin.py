"""`replay-margin`: as `replay`, with the older facts whose answers have the smallest lead drawn more often."""

from hybridmem.continual.buffers import ByMargin
from hybridmem.continual.composed import ComposedStrategy

STRATEGY = ComposedStrategy(
    name="replay-margin",
    summary="as replay, and what is nearly forgotten is replayed more often",
    buffer=ByMargin(),
)
