"""Step 2: candidates into the ledger: duplicates merged with their evidence, older values superseded, doubts flagged.

The whole plan is made first, by asking the ledger what it would do with each fact, and refused when it would retire
more than the recipe's bound; then each fact is one transaction, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hybridmem.core.errors import UnknownMemory
from hybridmem.core.records import Fact
from hybridmem.stores.ledger.memories import Memories


@dataclass(frozen=True, slots=True)
class CurationPlan:
    """What a curation would do."""

    accepted: tuple[Fact, ...]
    """Facts to put, oldest first."""
    contradictions: tuple[Fact, ...]
    """Facts that would end one of higher trust: left out, for a person to judge."""
    superseded: int
    """Values that make way, those of other candidates included."""
    retired: frozenset[str]
    """Ids of the ledger's current facts among them: what the bound is on."""
    merged: int


def plan(ledger: Memories, candidates: Sequence[Fact]) -> CurationPlan:
    """What `put_fact` would do with `candidates` (one namespace), oldest first. Writes nothing."""
    facts = sorted(candidates, key=lambda fact: fact.valid_from)
    planned = list(zip(facts, ledger.preview(facts), strict=True))
    retired = [peer.id for _, resolution in planned for peer in resolution.retired]
    new = {resolution.fact.id for _, resolution in planned if resolution.is_new}
    return CurationPlan(
        accepted=tuple(fact for fact, resolution in planned if resolution.outcome != "contradiction"),
        contradictions=tuple(fact for fact, resolution in planned if resolution.outcome == "contradiction"),
        superseded=len(retired),
        retired=frozenset(retired) - new,
        merged=sum(resolution.outcome == "merged" for _, resolution in planned),
    )


def refused(retired: int, standing: int, max_share: float) -> bool:
    """Whether retiring so many of the facts that stood says that something must be wrong with what was extracted."""
    return retired > max(5, max_share * standing)


def apply(
    ledger: Memories, plan: CurationPlan, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[Fact, Fact]:
    """Put every accepted fact; returns for each how the ledger has it. A fact whose episode was deleted since it was
    read is left out."""
    stored = {}
    for number, fact in enumerate(plan.accepted, 1):
        with suppress(UnknownMemory):
            stored[fact] = ledger.put_fact(fact, replace=None)
        progress(number, len(plan.accepted))
    return stored
