"""What storing a fact does to the other facts of its slot, decided by one pure function: `resolve`.

Each slot has a timeline. A fact holds in the world from `valid_from` until just before `valid_to`; one whose interval
is empty never held (its words were corrected, or it was corrected within the same moment), and no `as_of` sees it.
Quarantined facts have a timeline of their own: they replace nothing, and nothing that is trusted replaces them.

Time, trust and cardinality decide together:

- A relation that holds several values keeps them side by side. Otherwise a newer value replaces the older one.
- A fact never ends a fact of higher trust, neither a current one nor one of the past. If it would, it is a
  contradiction: it is stored in quarantine, beside the quarantined facts that are there, and its history says
  "quarantined" by the fact that it contradicts. A person who believes it states it again with their own trust; a
  person who does not deletes it. One who releases it has both stand side by side.
- Nor does a fact of lower trust that begins later make one of higher trust late: it is retired, as if it never held.
- An equal value gains the evidence and the sources instead of a second fact. Where its beginning would move back over
  a fact of higher trust, the beginning stays.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Trust
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.validation import quotes

_TRUST: tuple[str, ...] = get_args(Trust)

Outcome = Literal["contradiction", "merged", "disjoint", "late", "superseded", "added"]
"""What a fact is to its slot: the first of these that applies.

- `contradiction`: it would end a fact of higher trust, and is quarantined.
- `merged`: an equal fact gained its evidence.
- `disjoint`: the slot had, or has, an equal value in another interval, and something else between: both facts stay.
- `late`: it began before a current value, and is stored retired, ending where the next value begins.
- `superseded`: it retired what was current, and takes its place.
- `added`: it is stored and ends nothing that was current.
"""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a new fact is to its slot, and what to write so that it takes its place."""

    outcome: Outcome
    fact: Fact
    """The new fact as it is to be stored, or the stored one with the new evidence."""
    is_new: bool = True
    """Whether `fact` is to be inserted; else it is written over the stored one."""
    retired: tuple[Fact, ...] = ()
    """Facts that were current and no longer are."""
    shortened: tuple[Fact, ...] = ()
    """Facts that were retired already and turn out to have ended sooner."""
    contradicts: tuple[Fact, ...] = ()
    """The facts of higher trust that a contradiction would have ended: they stay as they are."""

    @property
    def written(self) -> tuple[Fact, ...]:
        """Every fact as it is after the resolution."""
        return (self.fact, *self.retired, *self.shortened)


def valid_at(fact: Fact, at: datetime) -> bool:
    """Whether `fact` was true in the world at `at`, as far as the ledger knows."""
    return fact.valid_from <= at and (fact.valid_to is None or at < fact.valid_to)


def resolve(fact: Fact, peers: Sequence[Fact], *, several: bool) -> Resolution:
    """Place `fact` among `peers`: the facts of its namespace and slot, current and retired, quarantined or not.

    `several`: the relation holds several values at a time, so that a new one replaces nothing.
    """
    if not fact.current:
        return Resolution("added", fact)
    aside = [peer for peer in peers if peer.quarantined]
    timeline = aside if fact.quarantined else [peer for peer in peers if not peer.quarantined]
    placed = _in_time(fact, timeline, several=several)
    stronger = _ended_with_higher_trust(fact, placed, timeline)
    if not stronger:
        return placed
    if placed.outcome == "merged":
        merged = replace(placed.fact, valid_from=_stored(placed.fact, timeline).valid_from)
        return Resolution("merged", merged, is_new=False)
    beside = _in_time(replace(fact, quarantined=True), aside, several=True)
    return Resolution("contradiction", beside.fact, is_new=beside.is_new, contradicts=stronger)


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


def _in_time(fact: Fact, peers: Sequence[Fact], *, several: bool) -> Resolution:
    """Where `fact` belongs by time and cardinality. What is trusted less may begin later, and still does not end it."""
    timeline = sorted((peer for peer in peers if peer.current or _ever_held(peer)), key=_age)
    after = [peer for peer in timeline if peer.valid_from > fact.valid_from]
    later = [peer for peer in after if several or not _is_weaker(peer, fact)]
    equal = _equal(fact, timeline, later, several)
    if equal is not None:
        return _restated(equal, _merged(equal, fact), timeline, several=several)
    again = any(normalised(peer.object) == normalised(fact.object) for peer in timeline)
    if several:
        return Resolution("disjoint" if again else "added", fact)
    late = any(peer.current for peer in later)
    if late:
        fact = retired(fact, fact.recorded_at, ends=later[0].valid_from, by=later[0].id)
    earlier = [peer for peer in timeline if peer.valid_from <= fact.valid_from]
    within = [peer for peer in after if peer not in later and (not late or peer.valid_from < later[0].valid_from)]
    replaced = tuple(
        retired(peer, fact.recorded_at, ends=fact.valid_from, by=fact.id)
        for peer in (*earlier, *within)
        if peer.current
    )
    outcome: Outcome = "disjoint" if again else "late" if late else "superseded" if replaced else "added"
    return Resolution(outcome, fact, retired=replaced, shortened=(*_shortened(fact, earlier), *_emptied(fact, within)))


def _restated(equal: Fact, merged: Fact, timeline: Sequence[Fact], *, several: bool) -> Resolution:
    """`equal` with the evidence of a fact that only restates it, and perhaps an earlier beginning."""
    if several or merged.valid_from >= equal.valid_from:
        return Resolution("merged", merged, is_new=False)
    before = [peer for peer in timeline if peer.valid_from <= merged.valid_from]
    within = [peer for peer in timeline if merged.valid_from < peer.valid_from < equal.valid_from]
    return Resolution(
        "merged", merged, is_new=False, shortened=(*_shortened(merged, before), *_emptied(merged, within))
    )


def _ended_with_higher_trust(fact: Fact, placed: Resolution, timeline: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts of higher trust than `fact` that `placed` would end, as they are now."""
    ended = {peer.id for peer in placed.retired + placed.shortened}
    return tuple(peer for peer in timeline if peer.id in ended and _is_weaker(fact, peer))


def _is_weaker(one: Fact, other: Fact) -> bool:
    return _TRUST.index(one.trust) > _TRUST.index(other.trust)


def _stored(fact: Fact, timeline: Sequence[Fact]) -> Fact:
    return next(peer for peer in timeline if peer.id == fact.id)


def retired(fact: Fact, at: datetime, *, ends: datetime, by: str | None) -> Fact:
    """`fact` as the ledger stops believing it at `at`: it ended in the world at `ends`, or sooner if it said so."""
    ends = max(ends, fact.valid_from)
    return replace(
        fact,
        valid_to=ends if fact.valid_to is None else min(ends, fact.valid_to),
        retired_at=at,
        superseded_by=by,
    )


def without_source(fact: Fact, episode: str) -> Fact:
    """`fact` when one of several episodes behind it no longer vouches for it."""
    sources = tuple(source for source in fact.sources if source != episode)
    return replace(fact, sources=sources, evidence=max(1, fact.evidence - 1))


def only_quotes(text: str, erased: Sequence[str], sources: Iterable[Episode]) -> bool:
    """Whether `text` quotes what was `erased`, and none of the `sources` behind it bears it out."""
    folded = " ".join(text.split())
    # The plain test first: an erasure looks at every fact, and a pattern for each would have to be compiled.
    if not any(folded in " ".join(words.split()) for words in erased) or not quotes(erased, [text]):
        return False
    return not any(quotes([episode.text, episode.quoted], [text]) for episode in sources)


def _equal(fact: Fact, timeline: Sequence[Fact], later: Sequence[Fact], several: bool) -> Fact | None:
    """The fact of the timeline that `fact` only restates.

    A current one, unless another value held between the two; or one that was superseded and began at the same
    moment, so that a late fact which is put twice is stored once. One of lower trust that was superseded is not: what
    superseded it may be weaker than `fact`.
    """
    same = [peer for peer in timeline if normalised(peer.object) == normalised(fact.object)]
    for peer in same:
        if peer.current and (several or not any(_age(other) < _age(peer) for other in later)):
            return peer
    for peer in same:
        again = not peer.current and peer.superseded_by and peer.valid_from == fact.valid_from
        if again and not several and not _is_weaker(peer, fact):
            return peer
    return None


def _merged(equal: Fact, fact: Fact) -> Fact:
    if equal.id == fact.id:
        return equal
    added = tuple(source for source in fact.sources if source not in equal.sources)
    return replace(
        equal,
        valid_from=min(equal.valid_from, fact.valid_from),
        sources=equal.sources + added,
        evidence=equal.evidence + (len(added) if fact.sources else fact.evidence),
        trust=min(equal.trust, fact.trust, key=_TRUST.index),
    )


def _shortened(fact: Fact, earlier: Sequence[Fact]) -> tuple[Fact, ...]:
    return tuple(
        replace(peer, valid_to=fact.valid_from, superseded_by=fact.id)
        for peer in earlier
        if peer.id != fact.id and not peer.current and (peer.valid_to is None or peer.valid_to > fact.valid_from)
    )


def _emptied(fact: Fact, within: Sequence[Fact]) -> tuple[Fact, ...]:
    """Retired facts of lower trust `within` the interval of `fact`: by what is known now, they never held."""
    return tuple(
        replace(peer, valid_to=peer.valid_from, superseded_by=fact.id)
        for peer in within
        if peer.id != fact.id and not peer.current
    )


def _ever_held(fact: Fact) -> bool:
    return fact.valid_to is None or fact.valid_to > fact.valid_from


def _age(fact: Fact) -> tuple[datetime, int]:
    return fact.valid_from, fact.position
