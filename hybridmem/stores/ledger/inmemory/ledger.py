"""The plainest ledger: dictionaries. Nothing is kept on disk; `SqlLedger` must agree with it on random data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.edit import Edit, edited, is_revived
from hybridmem.core.errors import LIST_SHOWS_IDS, InvalidInput, UnknownMemory
from hybridmem.core.filters.evaluate import admits
from hybridmem.core.filters.nodes import Filter
from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import texts_in
from hybridmem.core.records import Episode, Event, Fact, Kind, checked_text, has_expired, sound_text
from hybridmem.stores.ledger import archive as archives
from hybridmem.stores.ledger import fact_timeline as timeline
from hybridmem.stores.ledger.archive import Archive, Known, Restored
from hybridmem.stores.ledger.base import LedgerCounts
from hybridmem.stores.ledger.cardinality import MULTI_VALUED, relation_set
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.stores.ledger.inmemory.keyed_episodes import InMemoryKeyedEpisodes
from hybridmem.stores.ledger.inmemory.standing import InMemoryStanding
from hybridmem.stores.ledger.inmemory.state import InMemoryState
from hybridmem.stores.ledger.validation import checked_edit, checked_episode, checked_fact, quotes


class InMemoryLedger(InMemoryKeyedEpisodes, InMemoryStanding, InMemoryState):
    """A `Ledger` for tests and for trying things out, in one thread of one process.

    `multi_valued`: the relations that hold several values at a time."""

    def __init__(self, *, multi_valued: Iterable[str] = MULTI_VALUED) -> None:
        super().__init__()
        self.multi_valued = relation_set(multi_valued)
        self._uses: dict[str, int] = {}
        self._extracted: set[str] = set()

    # memories
    def append(self, episodes: Sequence[Episode]) -> list[Episode]:
        checked = [checked_episode(episode) for episode in episodes]
        self._require_unused(checked)
        return [self._insert(episode) for episode in checked]

    def put_fact(self, fact: Fact, *, replace: bool | None = True) -> Fact:
        fact = checked_fact(fact)
        for source in fact.sources:
            if not isinstance(self._find(fact.namespace, source), Episode):
                raise UnknownMemory(f"the fact {fact.id} names the source {source!r}, and there is no such episode")
        peers = [peer for peer in self._facts(fact.namespace) if peer.slot == fact.slot]
        several = fact.slot[1] in self.multi_valued if replace is None else not replace
        resolution = timeline.resolve(fact, peers, several=several)
        stored = resolution.fact
        if stored in peers:
            return stored
        if resolution.is_new:
            self._require_unused([stored])
            stored = self._insert(stored)
            if resolution.contradicts:
                self._record(stored, "quarantined", stored.recorded_at, resolution.contradicts[0].id)
            if fact.current and not stored.current:
                self._record(stored, "superseded", stored.recorded_at, stored.superseded_by)
        else:
            self._write(stored)
        self._write_changes(resolution.changes, stored.recorded_at, stored.id)
        if stored.current or stored.superseded_by:
            self._refresh_episodes(stored.sources, stored.superseded_by or stored.id)
        return stored

    def preview(self, facts: Sequence[Fact]) -> list[timeline.Resolution]:
        checked = [checked_fact(fact) for fact in facts]
        slots = {(fact.namespace, fact.slot) for fact in checked}
        peers = [
            memory
            for memory in self._memories.values()
            if isinstance(memory, Fact) and (memory.namespace, memory.slot) in slots
        ]
        return timeline.resolve_each(checked, peers, self.multi_valued)

    def get(self, namespace: Namespace, id: str) -> Episode | Fact:
        found = self._find(namespace, id)
        if found is None:
            raise UnknownMemory(f"no memory {id!r} in {'/'.join(namespace)}", LIST_SHOWS_IDS)
        return found

    def get_many(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]:
        found = {id: self._find(namespace, id) for id in ids}
        return {id: memory for id, memory in found.items() if memory is not None}

    def episodes(
        self, namespace: Namespace, *, after: int = 0, limit: int | None = None, session: str | None = None
    ) -> list[Episode]:
        return [
            e
            for e in self._episodes(namespace)
            if e.position > after and (session is None or e.session == sound_text(session))
        ][:limit]

    def neighbours(self, namespace: Namespace, id: str, *, distance: int = 1) -> list[Episode]:
        centre = self.get(namespace, id)
        if isinstance(centre, Fact) or centre.session is None:
            return []
        turns = self.episodes(namespace, session=centre.session)
        at = turns.index(centre)
        return turns[max(0, at - distance) : at] + turns[at + 1 : at + 1 + distance]

    def around(self, namespace: Namespace, ids: Sequence[str], *, distance: int = 1) -> dict[str, list[Episode]]:
        return {id: self.neighbours(namespace, id, distance=distance) for id in self.get_many(namespace, ids)}

    def latest(
        self, namespace: Namespace, *, before: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[Episode]:
        said = {(episode.at, episode.position): episode for episode in self._episodes(namespace)}
        return [said[place] for place in sorted(said, reverse=True) if before is None or place < before][:limit]

    def days(self, namespace: Namespace, since: date, until: date) -> dict[date, int]:
        said = Counter(episode.at.date() for episode in self._episodes(namespace))
        return {day: said[day] for day in sorted(said) if since <= day < until}

    def texts(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        here: list[Episode | Fact] = [*self._episodes(namespace), *self._facts(namespace)]
        yield from ((memory.id, memory.text) for memory in here)
        yield from ((fact.id, fact.bare) for fact in self._facts(namespace))
        for id in [id for id, home in self._homes.items() if home == namespace]:
            yield from ((id, event.text) for event in self._events[id] if event.text is not None)

    def details(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        here: list[Episode | Fact] = [*self._episodes(namespace), *self._facts(namespace)]
        for memory in here:
            yield from ((memory.id, text) for text in texts_in(memory.metadata, names=True))
            names = (memory.session, memory.speaker) if isinstance(memory, Episode) else ()
            yield from ((memory.id, name) for name in names if name is not None)
        for id in [id for id, home in self._homes.items() if home == namespace]:
            yield from ((id, text) for event in self._events[id] for text in texts_in(event.changes, names=True))

    def said(self, namespace: Namespace, texts: Sequence[str]) -> list[Episode]:
        found = (episode for episode in self._episodes(namespace) if episode.text in texts)
        return sorted(found, key=lambda episode: episode.position)

    def last_recorded(self, namespace: Namespace) -> datetime | None:
        here: list[Episode | Fact] = [*self._episodes(namespace), *self._facts(namespace)]
        return max(here, key=lambda memory: memory.position).recorded_at if here else None

    def span(self, namespace: Namespace) -> tuple[datetime, datetime] | None:
        times = [episode.at for episode in self._episodes(namespace)]
        return (min(times), max(times)) if times else None

    def speakers(self, namespace: Namespace) -> frozenset[str | None]:
        return frozenset(e.speaker for e in self._episodes(namespace) if (e.role, e.trust) == ("user", "user"))

    def facts(
        self,
        namespace: Namespace,
        *,
        as_of: datetime | None = None,
        include_retired: bool = False,
        after: int = 0,
        limit: int | None = None,
        source: str | None = None,
    ) -> list[Fact]:
        if as_of is not None:
            found = [fact for fact in self._facts(namespace) if timeline.valid_at(fact, parse_time(as_of))]
        else:
            found = [fact for fact in self._facts(namespace) if include_retired or fact.current]
        return [fact for fact in found if fact.position > after and (source is None or source in fact.sources)][:limit]

    def matching(
        self,
        namespace: Namespace,
        filter: Filter,
        *,
        kinds: Sequence[Kind] = ("episode", "fact"),
        after: int = 0,
        limit: int | None = None,
        include_retired: bool = False,
    ) -> list[Episode | Fact]:
        found = [e for e in self._episodes(namespace) if "episode" in kinds and admits(filter, e)]
        facts = [f for f in self._facts(namespace) if "fact" in kinds and (f.current or include_retired)]
        every: list[Episode | Fact] = [*found, *(fact for fact in facts if admits(filter, fact, self._sources(fact)))]
        return sorted((m for m in every if m.position > after), key=lambda memory: memory.position)[:limit]

    def update_text(
        self, namespace: Namespace, id: str, text: str, at: datetime, *, object: str | None = None
    ) -> Episode | Fact:
        text = checked_text(text)
        memory = self.get(namespace, id)
        if text == memory.text and (isinstance(memory, Episode) or object in (None, memory.object)):
            return memory
        if isinstance(memory, Fact):
            reworded: Episode | Fact = replace(memory, text=text, object=object or memory.object)
            self._drop_items(namespace, [id])
            self._taint(namespace, [id])
        else:
            reworded = replace(memory, text=text, superseded_by=None)
            self._extracted.discard(id)
            for fact in self._facts_from(id):
                if fact.current:
                    self._unfound(fact, id, parse_time(at))
        self._write(reworded)
        self._record(reworded, "updated", parse_time(at))
        return reworded

    def edit(self, namespace: Namespace, id: str, edit: Edit, at: datetime) -> Episode | Fact:
        memory, at = self.get(namespace, id), parse_time(at)
        changed, changes = edited(memory, checked_edit(edit), at)
        if changes:
            self._memories[id] = changed
            self._events[id].append(Event(id, "edited", at, memory.text, changes=changes))
        if "expires_at" in changes:
            self._announce(namespace, id, "upsert")
        if is_revived(memory, changed, at):
            self._extracted.discard(id)
        return changed

    def set_quarantine(self, namespace: Namespace, id: str, quarantined: bool, at: datetime) -> None:
        memory = self.get(namespace, id)
        self._set_quarantine(memory, quarantined, parse_time(at))
        for fact in self._facts_from(id):
            if not quarantined or all(self._memories[source].quarantined for source in fact.sources):
                self._set_quarantine(fact, quarantined, parse_time(at), by=id)

    def expire(self, namespace: Namespace, id: str, at: datetime) -> None:
        fact, at = self.get(namespace, id), parse_time(at)
        if isinstance(fact, Episode):
            raise InvalidInput(f"{id!r} is an episode, and only facts expire: hybridmem delete removes it")
        if fact.current:
            self._write(timeline.expired(fact, at))
            self._record(fact, "expired", at)
            self._taint(namespace, [id])
            self._settle(namespace, [fact], at, id)

    def expire_due(self, namespace: Namespace, at: datetime) -> list[str]:
        due = []
        for fact in self._facts(namespace):
            expired = timeline.come_due(fact, self._sources(fact), parse_time(at))
            if expired is not None:
                self._write(expired)
                self._record(fact, "expired", parse_time(at))
                self._taint(namespace, [fact.id])
                self._settle(namespace, [fact], parse_time(at), fact.id)
                due.append(fact.id)
        return due

    def _erase_one(self, namespace: Namespace, id: str, at: datetime) -> Erasure:
        memory = self.get(namespace, id)
        stated = self._facts_from(id)
        alone = [fact for fact in stated if fact.sources == (id,)]
        for fact in stated:
            if fact not in alone:
                self._write(timeline.without_source(fact, id))
        erased = [memory, *alone]
        words = [event.text for m in erased for event in self._events[m.id] if event.text is not None]
        said = [*words, *timeline.wordings(memory)] if isinstance(memory, Episode) else words
        others = [fact for fact in self._facts(namespace) if fact not in erased]
        reworded = [fact for fact in others if fact.text != fact.bare and self._only_quotes(fact, fact.text, said)]
        for fact in reworded:
            self._write(replace(fact, text=fact.bare))
            self._record(self._memories[fact.id], "updated", parse_time(at))
        words += [text for f in self._facts(namespace) if f not in erased for text in self._forget_quotations(f, said)]
        facts = [m.id for m in erased if isinstance(m, Fact)]
        removed = {
            "history": len(words),
            "training_items": self._drop_items(namespace, facts)
            + self._drop(self._items, lambda item: item.namespace == namespace and _quotes_any(item, words)),
            "audits": self._drop(self._audits, lambda audit: audit[0] == namespace and audit[1].fact in facts),
            "uses": sum(self._uses.pop(m.id, 0) > 0 for m in erased),
            "ledger": len(erased),
        }
        for m in erased:
            del self._memories[m.id]
            self._extracted.discard(m.id)
            self._announce(namespace, m.id, "delete")
            stripped = [replace(event, text=None, changes={}) for event in self._events[m.id]]
            self._events[m.id] = [*stripped, Event(m.id, "deleted", parse_time(at))]
        answers = self._forget_answers(namespace, [m.id for m in erased])
        if answers:
            removed["standing_answers"] = answers
        self._settle(namespace, [m for m in erased if isinstance(m, Fact)], parse_time(at), id)
        return Erasure(
            removed=removed,
            facts=tuple(fact.id for fact in alone),
            reworded=tuple(fact.id for fact in reworded),
            tainted_adapters=tuple(self._taint(namespace, [*facts, *(fact.id for fact in reworded)])),
        )

    def _only_quotes(self, fact: Fact, text: str, said: Sequence[str]) -> bool:
        return timeline.only_quotes(text, said, self._sources(fact))

    def _forget_quotations(self, fact: Fact, said: Sequence[str]) -> list[str]:
        """Strip the history of `fact` of the texts that only quote what was `said`; returns those."""
        kept, words = [], []
        for event in self._events[fact.id]:
            if event.text is not None and event.text != fact.text and self._only_quotes(fact, event.text, said):
                words.append(event.text)
                event = replace(event, text=None)
            kept.append(event)
        self._events[fact.id] = kept
        return words

    def history(self, namespace: Namespace, id: str) -> list[Event]:
        if self._homes.get(id) != namespace:
            raise UnknownMemory(f"no memory {id!r} in {'/'.join(namespace)}", LIST_SHOWS_IDS)
        return list(self._events[id])

    def namespaces(self) -> list[Namespace]:
        holders = (self._memories, self._adapters, self._dreams, self._questions)
        held = {record.namespace for records in holders for record in records.values()}
        return sorted(held | {namespace for namespace, _ in self._blocks})

    def counts(self, namespace: Namespace) -> LedgerCounts:
        facts = self._facts(namespace)
        return LedgerCounts(
            episodes=len(self._episodes(namespace)),
            facts=sum(fact.current for fact in facts),
            retired_facts=sum(not fact.current for fact in facts),
            training_items=len(self.items(namespace)),
            adapters=len(self.adapters(namespace)),
            dreams=len(self.dreams(namespace)),
            outbox=self._unacknowledged(namespace),
        )

    # uses and extraction
    def touch(self, namespace: Namespace, ids: Sequence[str], at: datetime) -> None:
        for id in self.get_many(namespace, ids):
            self._uses[id] = self._uses.get(id, 0) + 1

    def uses(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, int]:
        return {id: self._uses.get(id, 0) if self._find(namespace, id) else 0 for id in ids}

    def unextracted(
        self, namespace: Namespace, limit: int | None = None, *, at: datetime | None = None
    ) -> list[Episode]:
        waiting = [e for e in self._episodes(namespace) if e.id not in self._extracted and not e.quarantined]
        return [e for e in waiting if at is None or not has_expired(e, parse_time(at))][:limit]

    def mark_extracted(self, namespace: Namespace, ids: Sequence[str]) -> None:
        self._extracted.update(self.get_many(namespace, ids))

    # moving between ledgers
    def archive(self, namespace: Namespace) -> Archive:
        episodes = self._episodes(namespace)
        memories: list[Episode | Fact] = [*episodes, *self._facts(namespace)]
        return replace(
            self._standing(namespace),
            memories=tuple(sorted(memories, key=lambda memory: memory.position)),
            extracted=frozenset(episode.id for episode in episodes if episode.id in self._extracted),
            events=archives.recorded_events(
                memories, {id: self._events[id] for id in self._homes if self._homes[id] == namespace}
            ),
        )

    def restore(self, namespace: Namespace, archive: Archive) -> Restored:
        checked = archives.checked(namespace, archive)
        standing = self._restore_standing(namespace, checked)
        known = [id for id in archives.ids(checked) if id in self._homes]
        here = frozenset(id for id in known if self._homes[id] == namespace)
        there = here & self._memories.keys()
        checked, restored = archives.fitted(checked, Known(there, here - there, frozenset(known) - here))
        gone = archives.erased(checked)
        for memory in checked.memories:
            self._insert(memory)
        for id in gone:
            self._homes[id] = namespace
            self._announce(namespace, id, "delete")
        self._extracted |= checked.extracted
        self._events.update(archives.histories(checked))
        facts = [memory for memory in checked.memories if isinstance(memory, Fact)]
        if facts and (restored.there or restored.erased):
            self._settle(namespace, facts, max(fact.recorded_at for fact in facts), facts[-1].id)
        return archives.together(restored, standing)

    def check(self) -> list[str]:
        return []

    def close(self) -> None: ...

    # rows that follow every change
    def _find(self, namespace: Namespace, id: str) -> Episode | Fact | None:
        memory = self._memories.get(id)
        return memory if memory is not None and memory.namespace == namespace else None

    def _episodes(self, namespace: Namespace) -> list[Episode]:
        return [m for m in self._memories.values() if isinstance(m, Episode) and m.namespace == namespace]

    def _facts(self, namespace: Namespace) -> list[Fact]:
        return [m for m in self._memories.values() if isinstance(m, Fact) and m.namespace == namespace]

    def _facts_from(self, episode: str) -> list[Fact]:
        return [m for m in self._memories.values() if isinstance(m, Fact) and episode in m.sources]

    def _sources(self, fact: Fact) -> list[Episode]:
        return [m for m in map(self._memories.get, fact.sources) if isinstance(m, Episode)]

    def _insert(self, memory: Any) -> Any:
        memory = replace(memory, position=self._next_position())
        self._homes[memory.id] = memory.namespace
        self._events.setdefault(memory.id, []).append(Event(memory.id, "added", memory.recorded_at, memory.text))
        self._write(memory)
        return memory

    def _write(self, memory: Episode | Fact) -> None:
        self._memories[memory.id] = memory
        self._announce(memory.namespace, memory.id, "upsert")

    def _record(self, memory: Episode | Fact, event: Any, at: datetime, by: str | None = None) -> None:
        self._events[memory.id].append(Event(memory.id, event, at, memory.text, by))

    def _unfound(self, fact: Fact, episode: str, at: datetime) -> None:
        if len(fact.sources) > 1:
            self._write(timeline.without_source(fact, episode))
            return
        self._write(timeline.withdrawn(fact, at))
        self._record(fact, "superseded", at, episode)
        self._drop_items(fact.namespace, [fact.id])
        self._taint(fact.namespace, [fact.id])
        self._settle(fact.namespace, [fact], at, episode)

    def _settle(self, namespace: Namespace, facts: Sequence[Fact], at: datetime, cause: str) -> None:
        for slot in dict.fromkeys(fact.slot for fact in facts):
            peers = sorted((f for f in self._facts(namespace) if f.slot == slot), key=lambda fact: fact.position)
            self._write_changes(timeline.settled(peers, at), at, cause)

    def _write_changes(self, changes: Sequence[timeline.Change], at: datetime, cause: str) -> None:
        for each in changes:
            self._write(each.after)
            if each.retires:
                self._record(each.before, "superseded", at, each.after.superseded_by)
            elif each.restores:
                self._record(each.before, "restored", at, cause)
        for each in changes:
            before, after = each.before.superseded_by, each.after.superseded_by
            if each.retires or each.restores:
                self._taint(each.after.namespace, [each.after.id] if each.retires else [])
                self._refresh_episodes(each.after.sources, after or cause)
            elif before and after:
                for id in each.after.sources:
                    episode = self._memories[id]
                    if episode.superseded_by == before:
                        self._write(replace(episode, superseded_by=after))

    def _set_quarantine(self, memory: Episode | Fact, quarantined: bool, at: datetime, by: str | None = None) -> None:
        if memory.quarantined != quarantined:
            self._write(replace(memory, quarantined=quarantined))
            self._record(memory, "quarantined" if quarantined else "released", at, by)
            self._taint(memory.namespace, [memory.id] if quarantined else [])
            if isinstance(memory, Fact):
                self._settle(memory.namespace, [memory], at, memory.id)

    def _refresh_episodes(self, ids: Iterable[str], successor: str) -> None:
        for id in dict.fromkeys(ids):
            episode = self._memories[id]
            stale = not any(fact.current for fact in self._facts_from(id))
            if stale != (episode.superseded_by is not None):
                self._write(replace(episode, superseded_by=successor if stale else None))


def _quotes_any(item: Any, words: Sequence[str]) -> bool:
    return quotes([item.question, item.answer, *item.context], words)
