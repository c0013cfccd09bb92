"""`joint`: retrained each night from the bare base on every fact, with full exposures: what no sequence can beat, at a
cost that grows with the facts."""

from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy

STRATEGY = ComposedStrategy(
    name="joint",
    summary="retrained from the start each night on all facts: the upper bound, at a growing cost",
    buffer=NoReplay(),
    restart=True,
)
