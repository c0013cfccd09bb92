"""The best candidates for a profile, kept in the ledger as ids and scores and never as texts.

They are made of every fact once, at night or when there are none yet, and then follow what the ledger says has changed.
Whatever they hold, a profile shows a fact only as the ledger has it now.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from hybridmem.core.clock import parse_time
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Fact, has_expired, new_id
from hybridmem.standing.ranking import SECTIONS, Ranked, Section, is_known, ranked
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.fact_timeline import holds

LIVE = 400
"""Facts that hold at the making, kept in each section: twice what a profile shows at most, so that many may go before
they have to be made anew."""
MOST = 1_000
"""Kept in each section after changes."""
PAGE = 1_000
FOLLOWER = "profile"
"""A consumer of the outbox that acknowledges nothing: it has the position of its own."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """A namespace's candidates, section by section, as of a position of the ledger."""

    KEY: ClassVar[str] = "profile_candidates"
    VERSION: ClassVar[int] = 1
    sections: Mapping[Section, tuple[Ranked, ...]]
    """Best first."""
    whole: Mapping[Section, bool]
    """Whether a section has every fact of its kind, and not only the best."""
    position: int
    """Everything up to it has been followed."""
    made: str
    """A name of the making that they come from, which no other has."""

    def to_json(self) -> dict[str, Any]:
        return {
            "sections": {
                name: [[each.id, each.score, each.position] for each in self.sections[name]] for name in SECTIONS
            },
            "whole": dict(self.whole),
            "position": self.position,
            "made": self.made,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Candidates:
        sections = content["sections"]
        return cls(
            {name: tuple(Ranked(*each) for each in sections[name]) for name in SECTIONS},
            {name: content["whole"][name] for name in SECTIONS},
            content["position"],
            content["made"],
        )


@dataclass(frozen=True, slots=True)
class Making:
    """When a namespace's candidates were last made of all its facts, and what of the ledger the last night changed."""

    KEY: ClassVar[str] = "profile_making"
    VERSION: ClassVar[int] = 1
    made: str
    """`Candidates.made`."""
    at: datetime
    night_from: int | None = None
    """The ledger's position before the last night, whose changes come after it; None before the first night."""

    def to_json(self) -> dict[str, Any]:
        return {"made": self.made, "at": self.at.isoformat(), "night_from": self.night_from}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Making:
        return cls(content["made"], parse_time(content["at"]), content["night_from"])


def last_change(ledger: Ledger, namespace: Namespace) -> int:
    """The position of the namespace's last change; 0 for none."""
    return ledger.last_pending([FOLLOWER], namespace)


def made(ledger: Ledger, namespace: Namespace, now: datetime) -> Candidates:
    """The candidates of every fact that is there."""
    # Before the facts are read: what changes meanwhile is followed later.
    position = last_change(ledger, namespace)
    every: dict[Section, list[tuple[Ranked, bool]]] = {name: [] for name in SECTIONS}
    after = 0
    while page := ledger.facts(namespace, after=after, limit=PAGE):
        after = page[-1].position
        known = [fact for fact in page if is_known(fact)]
        for fact, (section, place) in zip(known, ranked(ledger, namespace, known), strict=True):
            every[section].append((place, holds(fact, now) and not has_expired(fact, now)))
    kept = {name: _best(places) for name, places in every.items()}
    whole = {name: len(kept[name]) == len(every[name]) for name in SECTIONS}
    return Candidates(kept, whole, position, new_id("pr"))


def followed(candidates: Candidates, ledger: Ledger, namespace: Namespace) -> tuple[Candidates, dict[str, Fact | None]]:
    """`candidates` after everything that has changed since, and all that has, by id: the facts that a profile may show
    as they are now, and None for anything else.

    As far as they reach, they are equal to those made anew, apart from uses of facts that did not change."""
    every: dict[str, Fact | None] = {}
    more = True
    while more and (entries := ledger.changes(namespace, after=candidates.position, limit=PAGE)):
        more = len(entries) == PAGE
        changed = [entry.memory for entry in entries]
        found = ledger.get_many(namespace, [entry.memory for entry in entries if entry.operation == "upsert"])
        facts = [memory for memory in found.values() if isinstance(memory, Fact) and is_known(memory)]
        every |= {**dict.fromkeys(changed), **{fact.id: fact for fact in facts}}
        moved = _moved(candidates, frozenset(changed), ranked(ledger, namespace, facts))
        candidates = replace(moved, position=entries[-1].position)
    return candidates, every


def _best(places: list[tuple[Ranked, bool]]) -> tuple[Ranked, ...]:
    """The best of `places`, each with whether it holds, up to `LIVE` that do."""
    kept: list[Ranked] = []
    live = 0
    for place, is_live in sorted(places, key=lambda each: each[0].order):
        if live == LIVE:
            break
        kept.append(place)
        live += is_live
    return tuple(kept)


def _moved(candidates: Candidates, gone: Set[str], places: Sequence[tuple[Section, Ranked]]) -> Candidates:
    """`candidates` without the facts in `gone`, and with `places`. A section that stays as it is is the same object."""
    # Thousands of places are gone through for each profile: lists are made once, and only where something changes.
    sections = {}
    whole = dict(candidates.whole)
    for name, before in candidates.sections.items():
        kept = [place for place in before if place.id not in gone]
        for _, place in (each for each in places if each[0] == name):
            at = bisect.bisect(kept, place.order, key=lambda each: each.order)
            # Behind the last of a section that is not whole there may be others that come before it.
            if at < len(kept) or whole[name]:
                kept.insert(at, place)
        if len(kept) > MOST:
            kept, whole[name] = kept[:LIVE], False
        after = tuple(kept)
        sections[name] = before if after == before else after
    return replace(candidates, sections=sections, whole=whole)
