"""The part of a ledger that moves a namespace to another ledger, and what every ledger makes of an `Archive` alike."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Protocol, get_args, get_type_hints

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import Episode, Event, Fact, checked_text, new_id, sound_text
from hybridmem.core.standing import MAX_BLOCK, Block, checked_block
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.composite import renamed_parts
from hybridmem.stores.ledger.fact_timeline import only_quotes, without_source
from hybridmem.stores.ledger.validation import checked_episode, checked_fact, unused_ids


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A standing question without its answer."""

    id: str
    question: str


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
    blocks: tuple[Block, ...] = ()
    """In the order of their labels."""
    block_events: tuple[Event, ...] = ()
    """Their histories, in that order; those of erased blocks stay behind."""
    questions: tuple[KeptQuestion, ...] = ()
    """The standing questions. Their answers stay behind: they are made anew."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a ledger made of an archive."""

    memories: int
    """Taken in."""
    events: int
    """Lines of histories that were taken in."""
    there: int = 0
    """Memories and blocks that were in the namespace already."""
    erased: int = 0
    """Memories and blocks that were erased from it, or stand on such alone."""
    standing: int = 0
    """Blocks, lines of their histories and standing questions that were taken in."""

    @property
    def lines(self) -> int:
        """Of an exported file."""
        return self.memories + self.events + self.standing


class Archives(Protocol):
    """Moving a namespace between ledgers."""

    def archive(self, namespace: Namespace) -> Archive:
        """Everything that `restore` needs, as it was at one moment."""
        ...

    def restore(self, namespace: Namespace, archive: Archive) -> Restored:
        """Take in what another ledger's `archive` gave, all or none: the records and histories word for word, with
        positions of this ledger. What is here already stays as it is, and what was erased here stays erased, with what
        stands on it alone. An id that another namespace has, or had, is replaced by a fresh one. Raises `InvalidInput`
        for records that do not belong together."""
        ...


def recorded_events(memories: Iterable[Episode | Fact], histories: Mapping[str, Sequence[Event]]) -> tuple[Event, ...]:
    """The `histories` as an archive holds them: those that say more than when `memories` were added."""
    plain = {memory.id: [Event(memory.id, "added", memory.recorded_at, memory.text)] for memory in memories}
    return tuple(event for id in sorted(histories) if list(histories[id]) != plain.get(id) for event in histories[id])


def fitted_standing(archive: Archive, here: Archive, erased: Container[str]) -> tuple[Archive, Restored]:
    """What a ledger takes in of what stands in `archive`, and how much of it that is. `here` has what stands there
    already, and `erased` the labels of the blocks that were erased there."""
    there = {block.label for block in here.blocks}
    known = {normalised(each.question) for each in here.questions}
    taken = tuple(block for block in archive.blocks if block.label not in there and block.label not in erased)
    labels = {block.label for block in taken}
    events = tuple(event for event in archive.block_events if event.memory in labels)
    asked = tuple(each for each in archive.questions if normalised(each.question) not in known)
    fits = replace(archive, blocks=taken, block_events=events, questions=asked)
    left = [block.label for block in archive.blocks if block.label not in labels]
    return fits, Restored(
        0,
        0,
        there=sum(label in there for label in left),
        erased=sum(label not in there for label in left),
        standing=len(taken) + len(events) + len(asked),
    )


def together(memories: Restored, standing: Restored) -> Restored:
    """Both parts of one archive."""
    return replace(
        memories,
        there=memories.there + standing.there,
        erased=memories.erased + standing.erased,
        standing=standing.standing,
    )


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
        blocks=tuple(checked_block(block) for block in archive.blocks),
        block_events=tuple(_checked_block_event(event) for event in archive.block_events),
        questions=tuple(KeptQuestion(each.id, checked_text(each.question)) for each in archive.questions),
    )
    unused_ids((memory.id for memory in memories), ())
    unused_ids((block.label for block in kept.blocks), ())
    _require_whole(kept)
    return kept


@dataclass(frozen=True, slots=True)
class Known:
    """Which ids of an archive the ledger that it goes into knows, and where."""

    there: frozenset[str] = frozenset()
    """In the namespace."""
    erased: frozenset[str] = frozenset()
    """Erased from the namespace."""
    elsewhere: frozenset[str] = frozenset()
    """Of another namespace, there or erased."""


def ids(archive: Archive) -> list[str]:
    """Of every memory and of every history."""
    return list(dict.fromkeys([*(memory.id for memory in archive.memories), *histories(archive)]))


def fitted(archive: Archive, known: Known) -> tuple[Archive, Restored]:
    """What a ledger that knows some of its ids takes in of `archive`, which is checked."""
    archive = _with_fresh_ids(archive, known.elsewhere)
    gone = {memory.id: memory for memory in archive.memories if memory.id in known.erased}
    said = [text for memory in gone.values() for text in _texts(memory)]
    episodes = {memory.id: memory for memory in archive.memories if isinstance(memory, Episode)}
    memories: list[Episode | Fact] = []
    lost = 0
    for memory in archive.memories:
        if memory.id in known.there or memory.id in gone:
            continue
        if isinstance(memory, Fact) and not known.erased.isdisjoint(memory.sources):
            left = [id for id in memory.sources if id not in known.erased]
            if not left:
                lost += 1
                continue
            for id in known.erased & set(memory.sources):
                memory = without_source(memory, id)
            if only_quotes(memory.text, said, [episodes[id] for id in left if id in episodes]):
                memory = replace(memory, text=memory.bare)
        memories.append(memory)
    kept = {memory.id for memory in memories}
    tombs = {id for id in erased(archive) if id not in known.there | known.erased}
    words = {text for memory in memories for text in _texts(memory)}
    events = tuple(
        replace(event, text=None)
        if event.text is not None and event.text not in words and _quotes(said, event)
        else event
        for event in archive.events
        if event.memory in kept or event.memory in tombs
    )
    fits = replace(archive, memories=tuple(memories), extracted=archive.extracted & kept, events=events)
    there = sum(memory.id in known.there for memory in archive.memories)
    return fits, Restored(len(memories), len(events), there, len(gone) + lost)


def _texts(memory: Episode | Fact) -> tuple[str, ...]:
    return (memory.text, memory.quoted) if isinstance(memory, Episode) else (memory.text,)


def _quotes(said: Sequence[str], event: Event) -> bool:
    return event.text is not None and only_quotes(event.text, said, ())


def _with_fresh_ids(archive: Archive, taken: frozenset[str]) -> Archive:
    """`archive` with new ids in place of those that are `taken`, wherever it names them."""
    if not taken:
        return archive
    fresh = {id: new_id(id.partition("_")[0]) for id in taken}

    def renamed(memory: Episode | Fact) -> Episode | Fact:
        by = memory.superseded_by
        changes: dict[str, Any] = {"id": fresh.get(memory.id, memory.id), "superseded_by": fresh.get(by or "", by)}
        if isinstance(memory, Fact):
            changes["sources"] = tuple(fresh.get(id, id) for id in memory.sources)
        else:
            changes["metadata"] = renamed_parts(memory.metadata, fresh)
        return replace(memory, **changes)

    return replace(
        archive,
        memories=tuple(renamed(memory) for memory in archive.memories),
        extracted=frozenset(fresh.get(id, id) for id in archive.extracted),
        events=tuple(
            sorted(
                (
                    replace(event, memory=fresh.get(event.memory, event.memory), by=fresh.get(event.by or "", event.by))
                    for event in archive.events
                ),
                key=lambda event: event.memory,
            )
        ),
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
    _require_kind(event)
    text = checked_text(event.text) if event.text is not None else None
    return replace(event, at=parse_time(event.at), text=text)


def _checked_block_event(event: Event) -> Event:
    """A block may be empty."""
    _require_kind(event)
    checked_block(Block(event.memory, event.text or "", limit=MAX_BLOCK))
    return replace(event, at=parse_time(event.at), text=sound_text(event.text) if event.text is not None else None)


def _require_kind(event: Event) -> None:
    if event.event not in get_args(get_type_hints(Event)["event"]):
        raise InvalidInput(f"a history of {event.memory} has the event {event.event!r}: there is none such")
