"""What becomes of facts inside one transaction: stored, superseded, expired, withdrawn with the words behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger.fact_timeline import resolve, retired, without_source
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, chunks, find, find_one
from hybridmem.stores.ledger.sql.rows import fact_row, slot_digest
from hybridmem.stores.ledger.validation import unused_ids


def put(change: Change, fact: Fact, *, several: bool) -> Fact:
    """Store `fact` (checked) in its slot, as `Memories.put_fact` promises."""
    _require_episodes(change, fact)
    peers = slot_facts(change, [fact])
    resolution = resolve(fact, peers, several=several)
    stored = resolution.fact
    if stored in peers:
        return stored
    if resolution.is_new:
        stored = _insert(change, stored)
        if resolution.contradicts:
            change.record(stored, "quarantined", stored.recorded_at, stored.text, resolution.contradicts[0].id)
        if fact.current and not stored.current:
            change.record(stored, "superseded", stored.recorded_at, stored.text, stored.superseded_by)
    else:
        change.write_fact(stored)
        change.announce([stored.id])
    for peer in resolution.retired:
        change.write_fact(peer)
        change.record(peer, "superseded", stored.recorded_at, peer.text, stored.id)
    for peer in resolution.shortened:
        change.write_fact(peer)
    change.announce([peer.id for peer in resolution.retired + resolution.shortened])
    change.taint([peer.id for peer in resolution.retired])
    if stored.current or stored.superseded_by:
        change.refresh_episodes(stored.sources, stored.superseded_by or stored.id)
    change.refresh_episodes((episode for peer in resolution.retired for episode in peer.sources), stored.id)
    return stored


def slot_facts(change: Change, facts: Sequence[Fact]) -> list[Fact]:
    """Everything that the slots of `facts` hold or held, in order of position."""
    found: list[Fact] = []
    for digests in chunks({slot_digest(fact) for fact in facts}):
        found += change.facts_where(tables.facts.c.slot.in_(digests))
    return sorted(found, key=lambda fact: fact.position)


def expire(change: Change, id: str, at: datetime) -> None:
    """Retire fact `id` without a successor; a fact that is retired already stays as it is."""
    fact = find_one(change.connection, change.namespace, id)
    if isinstance(fact, Episode):
        raise InvalidInput(f"{id!r} is an episode, and only facts expire: hybridmem delete removes it")
    if not fact.current:
        return
    change.write_fact(retired(fact, at, ends=at, by=None))
    change.record(fact, "expired", at, fact.text)
    change.announce([id])
    change.taint([id])


def reword(change: Change, id: str, text: str, at: datetime) -> Episode | Fact:
    """Give memory `id` new words, as `Memories.update_text` promises."""
    memory = find_one(change.connection, change.namespace, id)
    if text == memory.text:
        return memory
    change.record(memory, "updated", at, text)
    change.announce([id])
    if isinstance(memory, Fact):
        change.connection.execute(update(tables.facts).where(tables.facts.c.id == id).values(text=text))
        _drop_items(change, id)
        change.taint([id])
        return replace(memory, text=text)
    for fact in change.facts_from(id):
        if fact.current:
            _unfound(change, fact, id, at)
    change.connection.execute(
        update(tables.episodes).where(tables.episodes.c.id == id).values(text=text, extracted=False, superseded_by=None)
    )
    return replace(memory, text=text, superseded_by=None)


def quarantine(change: Change, id: str, quarantined: bool, at: datetime) -> None:
    """Set memory `id` aside or release it, and the facts that follow it."""
    memory = find_one(change.connection, change.namespace, id)
    _set_quarantine(change, memory, quarantined, at)
    if isinstance(memory, Fact):
        return
    for fact in change.facts_from(id):
        sources = find(change.connection, change.namespace, fact.sources).values()
        if not quarantined or all(source.quarantined for source in sources):
            _set_quarantine(change, fact, quarantined, at, cause=id)


def _require_episodes(change: Change, fact: Fact) -> None:
    found = find(change.connection, change.namespace, fact.sources)
    for source in fact.sources:
        if not isinstance(found.get(source), Episode):
            raise UnknownMemory(f"the fact {fact.id} names the source {source!r}, and {change.key} has no such episode")


def _insert(change: Change, fact: Fact) -> Fact:
    for table in (tables.episodes, tables.facts):
        unused_ids([fact.id], change.connection.execute(select(table.c.id).where(table.c.id == fact.id)).scalars())
    fact = replace(fact, position=change.positions(1)[0])
    change.connection.execute(insert(tables.facts), fact_row(fact))
    change.link(fact)
    change.announce_new([fact])
    return fact


def _unfound(change: Change, fact: Fact, episode: str, at: datetime) -> None:
    """`episode` no longer says `fact`: without other episodes behind it, the fact never held."""
    if len(fact.sources) > 1:
        change.write_fact(without_source(fact, episode))
    else:
        change.write_fact(replace(fact, valid_to=fact.valid_from, retired_at=at))
        change.record(fact, "superseded", at, fact.text, episode)
        _drop_items(change, fact.id)
        change.taint([fact.id])
    change.announce([fact.id])


def _set_quarantine(
    change: Change, memory: Episode | Fact, quarantined: bool, at: datetime, cause: str | None = None
) -> None:
    if memory.quarantined == quarantined:
        return
    table = tables.episodes if isinstance(memory, Episode) else tables.facts
    change.connection.execute(update(table).where(table.c.id == memory.id).values(quarantined=quarantined))
    change.record(memory, "quarantined" if quarantined else "released", at, memory.text, cause)
    change.announce([memory.id])
    if quarantined:
        change.taint([memory.id])


def _drop_items(change: Change, fact: str) -> None:
    change.connection.execute(delete(tables.training_items).where(tables.training_items.c.fact == fact))
