"""What an erasure in the ledger removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Erasure:
    """What went with one erased memory, or with several."""

    removed: Mapping[str, int] = field(default_factory=dict)
    """Rows removed, by place: `ledger`, `history`, `training_items`, `audits`, `uses`; empty where nothing was."""
    facts: tuple[str, ...] = ()
    """Facts that stood on what was erased alone, and went with it."""
    reworded: tuple[str, ...] = ()
    """Facts that stay, in their own bare words: their text only quoted what was erased."""
    tainted_adapters: tuple[str, ...] = ()
    """Versions of the adapters that hold any of it."""
    parts: tuple[str, ...] = ()
    """Ids under which the rest of a composite memory (`stores.ledger.composite`) was, erased with it."""
    scrubbed: bool = False
    """Whether the bytes are out of the files already; if not, the next open or erasure makes sure of it."""


def merge_erasures(erasures: Iterable[Erasure], *, scrubbed: bool = False) -> Erasure:
    """Several erasures as one."""
    every = list(erasures)
    removed: dict[str, int] = {}
    for erasure in every:
        for place, count in erasure.removed.items():
            removed[place] = removed.get(place, 0) + count
    facts = _each_once(erasure.facts for erasure in every)
    reworded = _each_once(erasure.reworded for erasure in every)
    return Erasure(
        removed=removed,
        facts=facts,
        reworded=tuple(id for id in reworded if id not in facts),
        tainted_adapters=_each_once(erasure.tainted_adapters for erasure in every),
        parts=_each_once(erasure.parts for erasure in every),
        scrubbed=scrubbed,
    )


def _each_once(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for ids in lists for id in ids))
