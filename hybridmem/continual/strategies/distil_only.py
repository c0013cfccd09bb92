"""`distil-only`: `replay` without the older facts, and otherwise identical."""

from hybridmem.continual.buffers import NoReplay
from hybridmem.continual.composed import ComposedStrategy

STRATEGY = ComposedStrategy(
    name="distil-only",
    summary="as replay, without the older facts",
    buffer=NoReplay(),
)
