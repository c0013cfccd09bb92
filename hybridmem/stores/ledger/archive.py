"""The part of a ledger that moves a namespace to another ledger, and what every ledger makes of an `Archive` alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol, get_args, get_type_hints

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import Episode, Event, Fact, checked_text
from hybridmem.stores.ledger.validation import checked_episode, checked_fact, unused_ids


@dataclass(frozen=True, slots=True)
class Archive:
    """A namespace's memories and their past, as they move from one ledger to another. Adapters, training items,
    dreams and counts of use stay behind: a dream makes them anew."""

    memories: tuple[Episode | Fact, ...]
    """The retired facts too, in the order of the ledger."""
    extracted: frozenset[str]
    """Ids of the episodes that a dream has read."""
    events: tuple[Event, ...]
    """Histories by memory, in order of id; a memory that was added, and nothing more, is left out. Those of erased
    memories are here and end in `deleted`."""


class Archives(Protocol):
    """Moving a namespace between ledgers."""

    def archive(self, namespace: Namespace) -> Archive:
        """Everything that `restore` needs, as it was at one moment."""
        ...

    def restore(self, namespace: Namespace, archive: Archive) -> None:
        """Take in what another ledger's `archive` gave, all or none: the records and histories word for word, with
        positions of this ledger. Raises `InvalidInput` for an id that is here already, or was and is erased, and for
        records that do not belong together."""
        ...


def recorded_events(memories: Iterable[Episode | Fact], histories: Mapping[str, Sequence[Event]]) -> tuple[Event, ...]:
    """The `histories` as an archive holds them: those that say more than when `memories` were added."""
    plain = {memory.id: [Event(memory.id, "added", memory.recorded_at, memory.text)] for memory in memories}
    return tuple(event for id in sorted(histories) if list(histories[id]) != plain.get(id) for event in histories[id])


def histories(archive: Archive) -> dict[str, list[Event]]:
    """Its events by memory."""
    return {id: list(events) for id, events in groupby(archive.events, lambda event: event.memory)}


def erased(archive: Archive) -> list[str]:
    """Ids of the memories of which only a history is left."""
    there = {memory.id for memory in archive.memories}
    return [id for id in histories(archive) if id not in there]


def checked(namespace: Namespace, archive: Archive) -> Archive:
    """`archive` with its records checked and at home in `namespace`. Raises a kind of `InvalidInput`."""
    home = checked_namespace(namespace)
    memories = tuple(_checked(replace(memory, namespace=home)) for memory in archive.memories)
    kept = replace(
        archive,
        memories=memories,
        extracted=archive.extracted & {memory.id for memory in memories},
        events=tuple(_checked_event(event) for event in sorted(archive.events, key=lambda event: event.memory)),
    )
    unused_ids((memory.id for memory in memories), ())
    _require_whole(kept)
    return kept


def refuse_known(known: Iterable[str]) -> None:
    """Raise `InvalidInput` where one of an archive's ids is or was in the ledger that it is to go into."""
    for id in known:
        raise InvalidInput(
            f"the id {id!r} is in this ledger already, or was erased from it: import into a new memory folder"
        )


def _require_whole(archive: Archive) -> None:
    """Every record that a memory or a history refers to is in the archive, or was erased."""
    gone = set(erased(archive))
    episodes = {memory.id for memory in archive.memories if isinstance(memory, Episode)}
    facts = {memory.id for memory in archive.memories if isinstance(memory, Fact)}
    for memory in archive.memories:
        for source in memory.sources if isinstance(memory, Fact) else ():
            if source not in episodes:
                raise InvalidInput(f"the fact {memory.id} comes from {source!r}, which is not there: export it again")
        if memory.superseded_by is not None and memory.superseded_by not in facts | gone:
            raise InvalidInput(
                f"{memory.id} was superseded by {memory.superseded_by!r}, which is not there: export it again"
            )
    for id, events in histories(archive).items():
        if (events[-1].event == "deleted") != (id in gone):
            raise InvalidInput(f"the history of {id} does not end as the memory did: export it again")


def _checked(memory: Episode | Fact) -> Episode | Fact:
    return checked_episode(memory) if isinstance(memory, Episode) else checked_fact(memory)


def _checked_event(event: Event) -> Event:
    if event.event not in get_args(get_type_hints(Event)["event"]):
        raise InvalidInput(f"a history of {event.memory} has the event {event.event!r}: there is none such")
    if event.text is not None:
        checked_text(event.text)
    return replace(event, at=parse_time(event.at))
