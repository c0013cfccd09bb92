"""`full-context`: no weights, every answer with all memories in the prompt."""

from hybridmem.continual.untrained import UntrainedStrategy

STRATEGY = UntrainedStrategy(
    "full-context", "answers with all memories in the prompt, trains nothing", answers="context"
)
