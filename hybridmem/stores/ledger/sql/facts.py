"""What becomes of facts inside one transaction: stored, superseded, expired, withdrawn with the words behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, text, update

from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger import fact_timeline as timeline
from hybridmem.stores.ledger.fact_timeline import come_due, resolve, settled, without_source
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, chunks, find, find_one
from hybridmem.stores.ledger.sql.rows import fact_row, key, micros, slot_digest
from hybridmem.stores.ledger.validation import unused_ids

# Built once: every search and every profile asks.
_STATED_UNTIL = text("SELECT id FROM facts WHERE namespace = :namespace AND expires_at <= :at AND retired_at IS NULL")
_SAID_UNTIL = text("SELECT id FROM episodes WHERE namespace = :namespace AND expires_at <= :at LIMIT 1")
_BEHIND = text(
    "SELECT DISTINCT facts.id FROM fact_sources JOIN episodes ON episodes.id = fact_sources.episode "
    "JOIN facts ON facts.id = fact_sources.fact "
    "WHERE episodes.namespace = :namespace AND episodes.expires_at <= :at AND facts.retired_at IS NULL"
)


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
    _write(change, resolution.changes, stored.recorded_at, stored.id)
    if stored.current or stored.superseded_by:
        change.refresh_episodes(stored.sources, stored.superseded_by or stored.id)
    return stored


def settle(change: Change, facts: Sequence[Fact], at: datetime, cause: str) -> None:
    """Have the slots of `facts` follow from what is there now: something of theirs came, went or ended, by `cause`."""
    slots: dict[tuple[str, str], list[Fact]] = {}
    for peer in slot_facts(change, facts):
        slots.setdefault(peer.slot, []).append(peer)
    for peers in slots.values():
        _write(change, settled(peers, at), at, cause)


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
    change.write_fact(timeline.expired(fact, at))
    change.record(fact, "expired", at, fact.text)
    change.announce([id])
    change.taint([id])
    settle(change, [fact], at, id)


def due(connection: Connection, namespace: Namespace, at: datetime) -> list[Fact]:
    """The current facts whose time has come by `at`, or that of the last episode behind them, as they are retired.

    Two looks into small indexes where nothing expires."""
    values = {"namespace": key(namespace), "at": micros(at)}
    wanted = [*connection.execute(_STATED_UNTIL, values).scalars()]
    if connection.execute(_SAID_UNTIL, values).first() is not None:
        wanted += connection.execute(_BEHIND, values).scalars()
    found = []
    for fact in find(connection, namespace, list(dict.fromkeys(wanted))).values():
        if isinstance(fact, Fact) and fact.current:
            sources = find(connection, namespace, fact.sources).values()
            ended = come_due(fact, [source for source in sources if isinstance(source, Episode)], at)
            found += [ended] if ended is not None else []
    return sorted(found, key=lambda fact: fact.position)


def expire_due(change: Change, at: datetime) -> list[str]:
    """Retire the facts that are `due`; returns their ids."""
    ended = due(change.connection, change.namespace, at)
    for fact in ended:
        change.write_fact(fact)
        change.record(fact, "expired", at, fact.text)
    ids = [fact.id for fact in ended]
    change.announce(ids)
    change.taint(ids)
    for fact in ended:
        settle(change, [fact], at, fact.id)
    return ids


def reword(change: Change, id: str, text: str, at: datetime, object: str | None) -> Episode | Fact:
    """Give memory `id` new words, as `Memories.update_text` promises."""
    memory = find_one(change.connection, change.namespace, id)
    value = object if isinstance(memory, Fact) else None
    if text == memory.text and (not isinstance(memory, Fact) or value in (None, memory.object)):
        return memory
    change.record(memory, "updated", at, text)
    change.announce([id])
    if isinstance(memory, Fact):
        reworded = replace(memory, text=text, object=value or memory.object)
        change.write_fact(reworded)
        _drop_items(change, id)
        change.taint([id])
        return reworded
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
        change.write_fact(timeline.withdrawn(fact, at))
        change.record(fact, "superseded", at, fact.text, episode)
        _drop_items(change, fact.id)
        change.taint([fact.id])
        settle(change, [fact], at, episode)
    change.announce([fact.id])


def _write(change: Change, changes: Sequence[timeline.Change], at: datetime, cause: str) -> None:
    """Write what a settlement changed, with what follows for histories, adapters and episodes."""
    for each in changes:
        before, after = each.before, each.after
        change.write_fact(after)
        if each.retires:
            change.record(before, "superseded", at, before.text, after.superseded_by)
        elif each.restores:
            change.record(before, "restored", at, before.text, cause)
    change.announce([each.after.id for each in changes])
    change.taint([each.after.id for each in changes if each.retires])
    for each in changes:
        if each.retires or each.restores:
            change.refresh_episodes(each.after.sources, each.after.superseded_by or cause)
        elif each.before.superseded_by and each.after.superseded_by:
            change.redirect_episodes(each.after.sources, each.before.superseded_by, each.after.superseded_by)


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
    if isinstance(memory, Fact):
        settle(change, [memory], at, memory.id)


def _drop_items(change: Change, fact: str) -> None:
    change.connection.execute(delete(tables.training_items).where(tables.training_items.c.fact == fact))
