"""`retrieval`: no weights, every answer from what a search finds."""

from hybridmem.continual.untrained import UntrainedStrategy

STRATEGY = UntrainedStrategy("retrieval", "answers by retrieval, trains nothing", answers="retrieval")
