"""What the facts of one slot make of each other: who holds when, decided by pure functions of the facts that are there.

Each slot has a timeline. A fact is said to hold from `valid_from` until just before `stated_to`; it does hold until
`valid_to`, which is sooner where another value took its place. `settled` works that out anew from what is there, so
that whatever goes (erased, set aside in quarantine, withdrawn with the words behind it) leaves the slot as if it had
never come: the value before it is back. A fact whose interval is empty never held (its words were corrected, or it was
corrected within the same moment), and no `as_of` sees it. Quarantined facts have a timeline of their own: they replace
nothing, and nothing that is trusted replaces them.

Time, trust and cardinality decide together:

- A relation that holds several values keeps them side by side. Otherwise a value ends where the next one begins.
- A fact never ends a fact of higher trust, neither a current one nor one of the past. If it would, it is a
  contradiction: it is stored in quarantine, beside the quarantined facts that are there, and its history says
  "quarantined" by the fact that it contradicts. A person who believes it states it again with their own trust; a
  person who does not deletes it. One who releases it has both stand side by side.
- Nor does a fact of lower trust that begins while one of higher trust holds make that one late: it never held.
- An equal value gains the evidence and the sources instead of a second fact, where the two intervals meet. Where its
  beginning would move back over a fact of higher trust, the beginning stays.
- An extracted fact that says what somebody set aside goes to it into quarantine, unless it is trusted more.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.core.roles import TRUSTS, is_weaker, most_trusted
from hybridmem.core.text.resolved import resolved
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.validation import quotes

Outcome = Literal["contradiction", "merged", "disjoint", "late", "superseded", "added"]
"""What a fact is to its slot: the first of these that applies.

- `contradiction`: it would end a fact of higher trust, and is quarantined.
- `merged`: an equal fact gained its evidence.
- `disjoint`: the slot had, or has, an equal value in another interval: both facts stay.
- `late`: it began before a value that stands, and ends where the next value begins.
- `superseded`: it retired what was current, and takes its place.
- `added`: it is stored and ends nothing that was current.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One stored fact that a settlement changed."""

    before: Fact
    after: Fact

    @property
    def retires(self) -> bool:
        """Whether the ledger believed the fact, and no longer does."""
        return self.before.current and not self.after.current

    @property
    def restores(self) -> bool:
        """Whether something had taken the fact's place, and nothing has any more."""
        return self.before.superseded_by is not None and self.after.superseded_by is None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a new fact is to its slot, and what to write so that it takes its place."""

    outcome: Outcome
    fact: Fact
    """The new fact as it is to be stored, or the stored one with the new evidence."""
    is_new: bool = True
    """Whether `fact` is to be inserted; else it is written over the stored one."""
    changes: tuple[Change, ...] = ()
    """What becomes of the other facts of the slot."""
    contradicts: tuple[Fact, ...] = ()
    """The facts of higher trust that a contradiction would have ended: they stay as they are."""

    @property
    def retired(self) -> tuple[Fact, ...]:
        """Facts that were current and no longer are."""
        return tuple(change.after for change in self.changes if change.retires)

    @property
    def written(self) -> tuple[Fact, ...]:
        """Every fact as it is after the resolution."""
        return (self.fact, *(change.after for change in self.changes))


def valid_at(fact: Fact, at: datetime) -> bool:
    """Whether `fact` was true in the world at `at`, as far as the ledger knows."""
    return fact.valid_from <= at and (fact.valid_to is None or at < fact.valid_to)


def holds(fact: Fact, now: datetime) -> bool:
    """Whether `fact` is true in the world at present.

    What was recorded has happened, also where the clock that says `now` was set back since."""
    if fact.valid_from > max(now, fact.recorded_at):
        return False
    return fact.valid_to is None or fact.valid_to > max(now, fact.retired_at or now)


def resolve(fact: Fact, peers: Sequence[Fact], *, several: bool) -> Resolution:
    """Place `fact` among `peers`: the facts of its namespace and slot, current and retired, quarantined or not.

    `several`: the relation holds several values at a time, so that a new one replaces nothing.
    """
    if not fact.current:
        return Resolution("added", fact)
    fact = replace(fact, stated_to=fact.valid_to, replaces=not several)
    aside = [peer for peer in peers if peer.quarantined]
    timeline = aside if fact.quarantined else [peer for peer in peers if not peer.quarantined]
    if fact.sources and not fact.quarantined and (waiting := _set_aside(fact, aside)):
        return _merged_into(waiting, fact, aside)
    equal = _equal(fact, timeline)
    if equal is not None:
        return _merged_into(equal, fact, timeline)
    stronger = _contradicted(fact, timeline)
    if stronger:
        beside = resolve(replace(fact, quarantined=True), aside, several=True)
        return replace(beside, outcome="contradiction", contradicts=stronger)
    again = any(normalised(peer.object) == normalised(fact.object) for peer in timeline if _was_said_to_hold(peer))
    placed, changes = _placed(fact, timeline)
    late = placed.superseded_by is not None
    retires = any(change.retires for change in changes)
    outcome: Outcome = (
        ("disjoint" if again else "added")
        if several
        else ("disjoint" if again else "late" if late else "superseded" if retires else "added")
    )
    return Resolution(outcome, placed, changes=changes)


def resolve_each(facts: Sequence[Fact], peers: Sequence[Fact], multi_valued: Container[str]) -> list[Resolution]:
    """`resolve` each of `facts`, one after the other, as if each were stored before the next.

    `peers`: the facts of all their namespaces and slots, current and retired."""
    slots: dict[tuple[Namespace, tuple[str, str]], dict[str, Fact]] = {}
    for peer in peers:
        slots.setdefault((peer.namespace, peer.slot), {})[peer.id] = peer
    position = max((peer.position for peer in peers), default=0)
    resolutions = []
    for number, fact in enumerate(facts, 1):
        slot = slots.setdefault((fact.namespace, fact.slot), {})
        resolution = resolve(fact, list(slot.values()), several=fact.slot[1] in multi_valued)
        resolutions.append(resolution)
        slot |= {written.id: written for written in resolution.written}
        if resolution.is_new:
            slot[resolution.fact.id] = replace(resolution.fact, position=position + number)
    return resolutions


def settled(facts: Sequence[Fact], at: datetime) -> list[Change]:
    """What is different from what `facts` (of one slot, quarantined or not) say about when each held, at `at`."""
    changes = []
    for aside in (False, True):
        group = [fact for fact in facts if fact.quarantined == aside]
        ends = _ends(group)
        changes += [Change(fact, after) for fact in group if (after := _ended(fact, ends[fact.id], at)) != fact]
    return changes


def _ends(group: Sequence[Fact]) -> dict[str, tuple[datetime | None, str | None]]:
    """(when it ends, by which fact if by one) of each fact of a timeline: the most trusted first, who decide for the
    others."""
    ends: dict[str, tuple[datetime | None, str | None]] = {fact.id: (fact.stated_to, None) for fact in group}
    stands: list[Fact] = []
    for trust in TRUSTS:
        same = sorted((fact for fact in group if fact.trust == trust and _was_said_to_hold(fact)), key=_age)
        kept = []
        for fact in same:
            over = next((peer for peer in stands if peer.replaces and _covers(peer, ends[peer.id][0], fact)), None)
            if over is not None and fact.replaces:
                ends[fact.id] = fact.valid_from, over.id
            else:
                kept.append(fact)
        stands = sorted([*stands, *kept], key=_age)
        for fact in kept:
            following = (peer for peer in stands if peer.replaces and _covers(fact, fact.stated_to, peer))
            if successor := next(following, None):
                ends[fact.id] = successor.valid_from, successor.id
    return ends


def _covers(fact: Fact, ends: datetime | None, later: Fact) -> bool:
    """Whether `later` begins while `fact`, which ends at `ends`, holds."""
    return _age(fact) < _age(later) and (ends is None or later.valid_from < ends)


def _ended(fact: Fact, end: tuple[datetime | None, str | None], at: datetime) -> Fact:
    """`fact` with the end that it has now."""
    ends, by = end
    if (fact.valid_to, fact.superseded_by) == (ends, by):
        return fact
    over = ends is not None and ends <= at
    # What ends on a day to come is believed until then; what ended of itself stays retired.
    learned = fact.retired_at or at if over and (by or fact.retired_at) else None
    return replace(fact, valid_to=ends, superseded_by=by, retired_at=learned)


def _placed(fact: Fact, timeline: Sequence[Fact]) -> tuple[Fact, tuple[Change, ...]]:
    """`fact` as it stands in the timeline, and what it changes there."""
    newest = max((peer.position for peer in timeline), default=0) + 1
    new = fact if any(peer.id == fact.id for peer in timeline) else replace(fact, position=newest)
    others = [peer for peer in timeline if peer.id != fact.id]
    changes = {change.before.id: change for change in settled([*others, new], fact.recorded_at)}
    own = changes.pop(fact.id, None)
    return replace(own.after if own else new, position=fact.position), tuple(changes.values())


def _merged_into(equal: Fact, fact: Fact, timeline: Sequence[Fact]) -> Resolution:
    """`equal` with the evidence of a `fact` that only restates it, and perhaps an earlier beginning."""
    if equal.id == fact.id:
        return Resolution("merged", equal, is_new=False)
    merged = _merged(equal, fact)
    placed, changes = _placed(merged, timeline)
    back = merged.valid_from < equal.valid_from
    if back and (not _ever_held(placed) or any(is_weaker(fact.trust, change.before.trust) for change in changes)):
        placed, changes = _placed(replace(merged, valid_from=equal.valid_from), timeline)
    return Resolution("merged", placed, is_new=False, changes=changes)


def _contradicted(fact: Fact, timeline: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts of higher trust that `fact` would end if it were believed as much."""
    if not fact.replaces:
        return ()
    new = replace(fact, position=max((peer.position for peer in timeline), default=0) + 1)
    return tuple(
        peer
        for peer in timeline
        if is_weaker(fact.trust, peer.trust) and peer.id != fact.id and _covers(peer, peer.valid_to, new)
    )


def _set_aside(fact: Fact, aside: Sequence[Fact]) -> Fact | None:
    """The quarantined fact that says what the extracted `fact` says, and is trusted at least as much."""
    for peer in aside:
        if normalised(peer.object) == normalised(fact.object) and not is_weaker(peer.trust, fact.trust):
            return peer
    return None


def without_source(fact: Fact, episode: str) -> Fact:
    """`fact` when one of several episodes behind it no longer vouches for it."""
    sources = tuple(source for source in fact.sources if source != episode)
    return replace(fact, sources=sources, evidence=max(1, fact.evidence - 1))


def expired(fact: Fact, at: datetime) -> Fact:
    """`fact` as the ledger stops believing it at `at`, without a successor: that is when it ended."""
    ends = max(at, fact.valid_from)
    ends = ends if fact.valid_to is None else min(ends, fact.valid_to)
    return replace(fact, stated_to=ends, valid_to=ends, retired_at=at, superseded_by=None)


def come_due(fact: Fact, sources: Iterable[Episode], at: datetime) -> Fact | None:
    """`fact` as it expires because its time, or that of the last of its `sources`, has come by `at`; else None."""
    ends = [fact.expires_at] if fact.expires_at is not None else []
    behind = [source.expires_at for source in sources]
    if behind and None not in behind:
        ends.append(max(time for time in behind if time is not None))
    if not fact.current or not ends or min(ends) > at:
        return None
    return replace(expired(fact, at), expires_at=min(ends))


def withdrawn(fact: Fact, at: datetime) -> Fact:
    """`fact` once the words behind it say something else: it never held."""
    begin = fact.valid_from
    return replace(fact, stated_to=begin, valid_to=begin, retired_at=at, superseded_by=None)


def wordings(episode: Episode) -> list[str]:
    """`episode` as facts may quote it: with its speaker, and with dates for what it says of its own day."""
    return list(dict.fromkeys((episode.quoted, resolved(episode.quoted, episode.at.date()))))


def only_quotes(text: str, erased: Sequence[str], sources: Iterable[Episode]) -> bool:
    """Whether `text` quotes what was `erased`, and none of the `sources` behind it bears it out."""
    folded = " ".join(text.split())
    # The plain test first: an erasure looks at every fact, and a pattern for each would have to be compiled.
    if not any(folded in " ".join(words.split()) for words in erased) or not quotes(erased, [text]):
        return False
    return not any(quotes([episode.text, *wordings(episode)], [text]) for episode in sources)


def _equal(fact: Fact, timeline: Sequence[Fact]) -> Fact | None:
    """The fact of the timeline that `fact` only restates: one that holds when `fact` begins, or that begins later
    and with nothing in between. One of lower trust that was superseded is not: what superseded it may be weaker than
    `fact`."""
    for peer in timeline:
        if normalised(peer.object) != normalised(fact.object) or not _was_said_to_hold(peer):
            continue
        superseded = peer.superseded_by is not None
        if (superseded and is_weaker(peer.trust, fact.trust)) or not (superseded or peer.current):
            continue
        if valid_at(peer, fact.valid_from) or (peer.valid_from == fact.valid_from and not superseded):
            return peer
        if fact.valid_from < peer.valid_from and _is_next(fact, peer, timeline):
            return peer
    return None


def _is_next(fact: Fact, peer: Fact, timeline: Sequence[Fact]) -> bool:
    """Whether `peer` goes on where the earlier `fact` ends, as one interval."""
    if fact.stated_to is not None and fact.stated_to < peer.valid_from:
        return False
    if not fact.replaces:
        return True
    between = (
        other
        for other in timeline
        if fact.valid_from < other.valid_from and _age(other) < _age(peer) and not is_weaker(other.trust, fact.trust)
    )
    return not any(_ever_held(other) for other in between)


def _merged(equal: Fact, fact: Fact) -> Fact:
    added = tuple(source for source in fact.sources if source not in equal.sources)
    goes_on = fact.valid_from >= equal.valid_from and not is_weaker(fact.trust, equal.trust)
    return replace(
        equal,
        valid_from=min(equal.valid_from, fact.valid_from),
        stated_to=fact.stated_to if goes_on and fact.stated_to is not None else equal.stated_to,
        sources=equal.sources + added,
        evidence=equal.evidence + (len(added) if fact.sources else fact.evidence),
        trust=most_trusted(equal.trust, fact.trust),
        metadata={**equal.metadata, **fact.metadata},
        expires_at=_later(equal.expires_at, fact.expires_at),
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times of expiry; None is never."""
    return None if one is None or other is None else max(one, other)


def _was_said_to_hold(fact: Fact) -> bool:
    return fact.stated_to is None or fact.stated_to > fact.valid_from


def _ever_held(fact: Fact) -> bool:
    return fact.valid_to is None or fact.valid_to > fact.valid_from


def _age(fact: Fact) -> tuple[datetime, int]:
    return fact.valid_from, fact.position
