"""One value at a time: what storing a fact does to the other facts of its slot, as plain functions of records.

Each slot has a timeline. A fact holds in the world from `valid_from` until just before `valid_to`; one whose interval
is empty never held (its words were corrected, or it was corrected within the same moment), and no `as_of` sees it.
Quarantined facts have a timeline of their own: they replace nothing, and nothing that is trusted replaces them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from hybridmem.core.records import Episode, Fact, Trust
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.validation import quotes

_TRUST: tuple[str, ...] = get_args(Trust)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What to write so that a new fact takes its place."""

    fact: Fact
    """The new fact as it is to be stored, or the equal one that gained its evidence."""
    merged: bool = False
    retired: tuple[Fact, ...] = ()
    """Facts that were current and no longer are."""
    shortened: tuple[Fact, ...] = ()
    """Facts that were retired already and turn out to have ended sooner."""


def valid_at(fact: Fact, at: datetime) -> bool:
    """Whether `fact` was true in the world at `at`, as far as the ledger knows."""
    return fact.valid_from <= at and (fact.valid_to is None or at < fact.valid_to)


def resolve(fact: Fact, peers: Sequence[Fact], *, replace_others: bool) -> Resolution:
    """Place `fact` among `peers`: the facts of its namespace and slot, current and retired, equally quarantined.

    A fact that is older than a current one arrives late: it is stored retired, and ends where the next one begins.
    """
    if not fact.current:
        return Resolution(fact)
    timeline = sorted((peer for peer in peers if peer.current or _ever_held(peer)), key=_age)
    later = [peer for peer in timeline if peer.valid_from > fact.valid_from]
    equal = _equal(fact, timeline, later, replace_others)
    if equal is not None:
        merged = _merged(equal, fact)
        began_sooner = replace_others and merged.valid_from < equal.valid_from
        before = [peer for peer in timeline if peer.valid_from <= merged.valid_from] if began_sooner else []
        return Resolution(merged, merged=True, shortened=_shortened(merged, before))
    if not replace_others:
        return Resolution(fact)
    if any(peer.current for peer in later):
        fact = retired(fact, fact.recorded_at, ends=later[0].valid_from, by=later[0].id)
    earlier = [peer for peer in timeline if peer.valid_from <= fact.valid_from]
    return Resolution(
        fact,
        retired=tuple(
            retired(peer, fact.recorded_at, ends=fact.valid_from, by=fact.id) for peer in earlier if peer.current
        ),
        shortened=_shortened(fact, earlier),
    )


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


def _equal(fact: Fact, timeline: Sequence[Fact], later: Sequence[Fact], replace_others: bool) -> Fact | None:
    """The fact of the timeline that `fact` only restates.

    A current one, unless another value held between the two; or one that was superseded and began at the same
    moment, so that a late fact which is put twice is stored once.
    """
    same = [peer for peer in timeline if normalised(peer.object) == normalised(fact.object)]
    for peer in same:
        if peer.current and (peer not in later or peer is later[0] or not replace_others):
            return peer
    for peer in same:
        if replace_others and not peer.current and peer.superseded_by and peer.valid_from == fact.valid_from:
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


def _ever_held(fact: Fact) -> bool:
    return fact.valid_to is None or fact.valid_to > fact.valid_from


def _age(fact: Fact) -> tuple[datetime, int]:
    return fact.valid_from, fact.position
