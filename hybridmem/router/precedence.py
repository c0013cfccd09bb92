"""Who is believed where the weights and the memories say different values: what was said later, unless somebody less
trusted said it. How sure each of them is says little about that: weights are loudest about what they were taught last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridmem.core.records import Episode, Fact, Hit
from hybridmem.core.roles import is_weaker
from hybridmem.core.text.kinds import of_one_kind
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.metrics import is_correct
from hybridmem.router.decision import Better


def better(
    learned: Fact | None, weights: str, memories: str, shown: Sequence[Hit], records: Mapping[str, Episode | Fact]
) -> Better:
    """Which of two answers is to be believed, by time and trust; "" where these do not tell.

    They tell where the weights say what they `learned`, and a memory that was `shown` says the other value word for
    word, of the same kind: a memory of something else is no news of this."""
    if learned is None or not is_correct(weights, learned.object) or not of_one_kind(weights, memories):
        return ""
    said = [
        record
        for hit in shown
        if (record := records.get(hit.id)) is not None
        and record.superseded_by is None
        and contains_words(normalised(record.text), normalised(memories))
    ]
    if not said:
        return ""
    told = max(said, key=_when)
    if _when(told) == _when(learned):
        return ""
    later, earlier = (told, learned) if _when(told) > _when(learned) else (learned, told)
    believed = earlier if is_weaker(later.trust, earlier.trust) else later
    return "weights" if believed is learned else "retrieval"


def _when(record: Episode | Fact) -> float:
    return (record.valid_from if isinstance(record, Fact) else record.at).timestamp()
