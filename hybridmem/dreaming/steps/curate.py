"""Step 2: candidates into the ledger: duplicates merged with their evidence, older values superseded, doubts flagged.

The whole plan is made first and refused when it would retire more than the recipe's bound; then each fact is one
transaction, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from hybridmem.core.records import Fact, Trust
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.base import Ledger

_RANK: dict[Trust, int] = {"user": 0, "agent": 1, "tool": 2, "web": 3}


@dataclass(frozen=True, slots=True)
class CurationPlan:
    """What a curation would do."""

    accepted: tuple[tuple[Fact, bool], ...]
    """Facts to put, each with whether it replaces the slot's older value."""
    contradictions: tuple[Fact, ...]
    """Facts of lower trust than the current value that they would replace: left out, for a person to judge."""
    superseded: int
    """Values that make way, those of other candidates included."""
    retired: frozenset[str]
    """Ids of the ledger's current facts among them: what the bound is on."""
    merged: int


@cache
def many_valued() -> frozenset[str]:
    """Relations that hold several values at a time, so that a new one does not replace the others."""
    from hybridmem.pretraining.relations import load

    return frozenset(normalised(r.name) for r in load() if not r.single) | {"likes", "knows", "owns", "has", "is"}


def plan(ledger: Ledger, candidates: Sequence[Fact]) -> CurationPlan:
    """Compare `candidates` (oldest first, one namespace) with the current facts of their slots."""
    if not candidates:
        return CurationPlan((), (), 0, frozenset(), 0)
    current: dict[tuple[str, str], list[Fact]] = {}
    standing = [fact for fact in ledger.facts(candidates[0].namespace) if not fact.quarantined]
    for fact in standing:
        current.setdefault(fact.slot, []).append(fact)
    accepted: list[tuple[Fact, bool]] = []
    contradictions: list[Fact] = []
    retired: set[str] = set()
    superseded = merged = 0
    for fact in sorted(candidates, key=lambda f: f.valid_from):
        rivals = current.setdefault(fact.slot, [])
        same = [r for r in rivals if normalised(r.object) == normalised(fact.object)]
        single = fact.slot[1] not in many_valued()
        if same:
            merged += 1
        elif single and any(_RANK[r.trust] < _RANK[fact.trust] for r in rivals):
            contradictions.append(fact)
            continue
        elif single and not any(r.valid_from > fact.valid_from for r in rivals):
            superseded += len(rivals)
            retired.update(r.id for r in rivals)
            rivals[:] = [fact]
        elif not single:
            rivals.append(fact)
        accepted.append((fact, single))
    return CurationPlan(
        tuple(accepted), tuple(contradictions), superseded, frozenset(retired & {f.id for f in standing}), merged
    )


def refused(retired: int, standing: int, max_share: float) -> bool:
    """Whether retiring so many of the facts that stood says that something must be wrong with what was extracted."""
    return retired > max(5, max_share * standing)


def apply(
    ledger: Ledger, plan: CurationPlan, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Fact]:
    """Put every accepted fact; returns them as the ledger holds them."""
    held = []
    for number, (fact, single) in enumerate(plan.accepted, 1):
        held.append(ledger.put_fact(fact, replace=single))
        progress(number, len(plan.accepted))
    return held
