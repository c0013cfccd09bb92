"""Which memories a prompt reads, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem.core.records import Hit
from hybridmem.stores.ledger.validation import quotes

MEMORIES_READ = 5
"""Hits in the prompt of a retrieval answer."""


def worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    """The hits for a prompt: those that match the question themselves, not only through the turns around them."""
    return ([hit for hit in hits if hit.matches] or list(hits))[:MEMORIES_READ]


def lines(hits: Sequence[Hit]) -> list[str]:
    """What the prompt shows of `hits`, oldest first: each text once, also where it stands in another one that is no
    older. A fact is often a sentence of the episode that told it."""
    ordered = sorted(hits, key=_time)
    return [
        hit.quoted
        for place, hit in enumerate(ordered)
        if not any(
            _time(hit) <= _time(other)
            and quotes([other.quoted], [hit.quoted])
            # Of two that say the same, the later one stays.
            and (hit.quoted != other.quoted or place < at)
            for at, other in enumerate(ordered)
            if at != place
        )
    ]


def _time(hit: Hit) -> float:
    return hit.at.timestamp() if hit.at else 0.0
