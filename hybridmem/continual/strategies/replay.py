"""`replay`, the default: older facts beside the new ones, every objective, every exercise.

Experience replay (Rolnick et al. 2019, arXiv:1811.11682) from a ledger that has lost nothing, with context
distillation (Snell et al. 2022, arXiv:2209.15189) and KL to the base on general text.
"""

from hybridmem.continual.buffers import EqualShares
from hybridmem.continual.composed import ComposedStrategy

STRATEGY = ComposedStrategy(
    name="replay",
    summary="older facts are replayed beside the new ones, with distillation and KL to the base",
    buffer=EqualShares(),
)
