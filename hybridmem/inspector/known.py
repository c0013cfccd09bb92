"""What the opening page tells of what the agent knows: the profile, what last night changed, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hybridmem.core.records import DreamReport, Fact
from hybridmem.memory import HybridMemory
from hybridmem.standing.candidates import Making
from hybridmem.standing.profile import Profile, ProfileLine

SHOWN = 12
"""Facts of one kind that the page names; the others it counts."""
LOOKED_AT = 2_000
"""Changes of a night that are looked at."""
SLACK = timedelta(seconds=1)
"""A night's clock is read before its first write."""
UNREAD_COUNTED = 1_000
"""Unread episodes that are counted."""


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line of the profile, and whether the weights hold it, too."""

    line: ProfileLine
    in_weights: bool


@dataclass(frozen=True, slots=True)
class Replaced:
    """A fact that is no longer believed, and what took its place."""

    fact: Fact
    by: Fact | None


@dataclass(frozen=True, slots=True)
class Night:
    """What a night changed in what is believed."""

    learned: tuple[Fact, ...] = ()
    gone: tuple[Replaced, ...] = ()
    more_learned: int = 0
    more_gone: int = 0
    """How many more there are than those that are named."""

    @property
    def is_empty(self) -> bool:
        return not (self.learned or self.gone)


def lines(memory: HybridMemory, profile: Profile) -> list[KnownLine]:
    """The lines of `profile`, each with whether the active adapter holds one of its facts and is trusted on it."""
    facts = [id for line in profile.lines for id in line.facts]
    held = {
        holding.fact
        for holding in memory.ledger.holdings(memory.namespace, facts)
        if holding.status == "active" and not holding.tainted
    }
    return [KnownLine(line, not held.isdisjoint(line.facts)) for line in profile.lines]


def night(memory: HybridMemory, report: DreamReport) -> Night | None:
    """What the night of `report` changed, the last of `memory`; None where the ledger does not know since when, because
    an earlier release dreamt it."""
    making = memory.ledger.get_state(memory.namespace, Making)
    if making is None or making.night_from is None:
        return None
    entries = memory.ledger.changes(memory.namespace, after=making.night_from, limit=LOOKED_AT)
    changed = memory.ledger.get_many(memory.namespace, [entry.memory for entry in entries])
    facts = [fact for fact in changed.values() if isinstance(fact, Fact) and not fact.quarantined]
    begins, ends = report.started_at - SLACK, making.at + SLACK
    learned = [fact for fact in facts if fact.current and begins <= fact.recorded_at <= ends]
    gone = [fact for fact in facts if fact.retired_at is not None and begins <= fact.retired_at <= ends]
    return Night(
        tuple(learned[:SHOWN]),
        tuple(_replaced(memory, gone[:SHOWN])),
        max(0, len(learned) - SHOWN),
        max(0, len(gone) - SHOWN),
    )


def unread(memory: HybridMemory) -> int:
    """Episodes that no night has read yet, counted up to `UNREAD_COUNTED` and one more."""
    return len(memory.ledger.unextracted(memory.namespace, UNREAD_COUNTED + 1, at=memory.clock()))


def _replaced(memory: HybridMemory, facts: Sequence[Fact]) -> list[Replaced]:
    successors = memory.ledger.get_many(
        memory.namespace, [fact.superseded_by for fact in facts if fact.superseded_by is not None]
    )
    found = []
    for fact in facts:
        by = successors.get(fact.superseded_by or "")
        found.append(Replaced(fact, by if isinstance(by, Fact) else None))
    return found
