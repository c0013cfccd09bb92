"""`noop`: the bare base, asked closed-book: what the weights knew before any night."""

from hybridmem.continual.untrained import UntrainedStrategy

STRATEGY = UntrainedStrategy("noop", "asks the bare base, trains nothing", answers="weights")
