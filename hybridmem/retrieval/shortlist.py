"""The end of a search: no text twice, and no more of it than fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from hybridmem.core.records import Hit
from hybridmem.core.text.tokens import normalised

CHARACTERS_PER_TOKEN = 4


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """`hits` (best first) with equal words kept once, at the place of the best of them.

    A fact stands for the episodes that say the same, because it knows since when it holds and where it came from."""
    kept: dict[str, Hit] = {}
    for hit in hits:
        words = normalised(hit.quoted) or hit.text
        best = kept.get(words)
        if best is None:
            kept[words] = hit
        elif best.kind == "episode" and hit.kind == "fact":
            kept[words] = dataclasses.replace(hit, score=best.score, why=best.why, raw=best.raw)
    return list(kept.values())


def within_budget(hits: Sequence[Hit], tokens: int | None) -> list[Hit]:
    """The first of `hits` that together stay within `tokens` (estimated at four characters each).

    One that is longer than the whole budget is passed over, so that it does not hide what would fit."""
    if tokens is None:
        return list(hits)
    chosen: list[Hit] = []
    left = tokens
    for hit in hits:
        cost = estimated_tokens(hit.quoted)
        if cost > tokens:
            continue
        if cost > left:
            break
        chosen.append(hit)
        left -= cost
    return chosen


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` takes in a prompt."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)
