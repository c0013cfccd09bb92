"""How a night divides the bound on its reader's tokens, so that what is begun can also be judged.

Reading new episodes and composing exercises stop where their share is spent, and the rest of them waits for the next
night. The gate's questions are fewer where the bound is small: a night whose truth nobody could afford to ask for would
be promoted unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hybridmem.dreaming.plan import DreamContext
from hybridmem.dreaming.recipes import Recipe

READING_SHARE = 0.55
"""Of the bound, for asking before the night and for reading episodes; what they leave is for what follows."""
COMPOSING_SHARE = 0.75
EPISODES_AT_ONCE = 8
"""Episodes read between two looks at the bound."""
TOKENS_A_TRUTH_QUESTION = 20_000
"""Of the bound, for each question that the night is judged by: writing, checking and answering it, before and after the
night, takes about 2,000 where messages are short."""
TOKENS_AN_AUDIT_QUESTION = 8_000
"""Of the bound, for each question of either kind that the router is calibrated on: about 300 each."""


def within_bound(recipe: Recipe, bound: int | None) -> Recipe:
    """`recipe` with as many questions as a night with that `bound` can ask."""
    if bound is None:
        return recipe
    questions = min(recipe.reading.truth_questions, bound // TOKENS_A_TRUTH_QUESTION)
    audits = min(recipe.eval.calibration_questions, max(1, bound // TOKENS_AN_AUDIT_QUESTION))
    return replace(
        recipe,
        reading=replace(recipe.reading, truth_questions=questions),
        eval=replace(recipe.eval, calibration_questions=audits),
    )


@contextmanager
def share(context: DreamContext, part: float) -> Iterator[None]:
    """Until the block ends, the reader may have spent that `part` of its bound; nothing changes without one."""
    if context.metered is None:
        yield
        return
    with context.metered.within(part):
        yield
