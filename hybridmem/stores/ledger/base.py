"""What the rest of hybridmem asks of a ledger. `inmemory` is the plainest twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Audit, DreamReport, Episode, Event, Fact, TrainingItem
from hybridmem.stores.ledger.keyed_episodes import KeyedEpisodes


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One change that the derived indexes still have to follow, in the order of the ledger."""

    position: int
    namespace: Namespace
    memory: str
    operation: Literal["upsert", "delete"]


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


@dataclass(frozen=True, slots=True)
class AdapterSummary:
    """An adapter without the list of what it holds: enough for a list of many."""

    version: str
    base: str
    parent: str | None
    status: Literal["candidate", "active", "retired", "rejected"]
    created_at: datetime
    dream: str
    scores: Mapping[str, float]
    facts: int
    tainted: int
    on_disk: bool
    """Whether its weights are kept."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One fact in one adapter, and how well it was recalled there over all splits."""

    version: str
    status: Literal["candidate", "active", "retired", "rejected"]
    """The adapter's."""
    on_disk: bool
    """Whether the adapter's weights are kept."""
    fact: str
    tainted: bool
    asked: int = 0
    right: int = 0


class Ledger(KeyedEpisodes, Protocol):
    """The truth. Every method that writes is one transaction: it is done whole, and kept, when it returns.

    Reading methods see one namespace and nothing else. Ids of another namespace raise `UnknownMemory`.
    """

    # memories
    def append(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Store `episodes` (all or none) and tell the outbox; returns them with their positions."""
        ...

    def put_fact(self, fact: Fact, *, replace: bool = True) -> Fact:
        """Store `fact`. With `replace`, the other current facts of its slot are retired in the same transaction
        (`valid_to` = the new `valid_from`, `superseded_by` = the new id), their episodes become superseded once all
        that they state is retired, and adapters that hold them are tainted. An equal current value gains the
        evidence and the sources instead, and that fact is returned. A fact that began before a current one arrives
        late: it is stored retired, ending where the next one begins, and the current one stays. Quarantined facts meet
        only quarantined ones. Sources that are not there raise `UnknownMemory`."""
        ...

    def get(self, namespace: Namespace, id: str) -> Episode | Fact: ...

    def get_many(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]:
        """Those of `ids` that are there; the others are left out."""
        ...

    def episodes(
        self, namespace: Namespace, *, after: int = 0, limit: int | None = None, session: str | None = None
    ) -> list[Episode]:
        """Episodes with a position above `after`, oldest first."""
        ...

    def neighbours(self, namespace: Namespace, id: str, *, distance: int = 1) -> list[Episode]:
        """The turns of the same session up to `distance` before and after `id`, oldest first; none for a fact."""
        ...

    def around(self, namespace: Namespace, ids: Sequence[str], *, distance: int = 1) -> dict[str, list[Episode]]:
        """The `neighbours` of each of `ids` in one read; ids that are not there are left out."""
        ...

    def latest(
        self, namespace: Namespace, *, before: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[Episode]:
        """Episodes by the time at which they were said, latest first; with `before`, those that come behind an episode
        with that time and position."""
        ...

    def days(self, namespace: Namespace, since: date, until: date) -> dict[date, int]:
        """How many episodes were said on each day (UTC) from `since` up to, and not including, `until`, in order; days
        without any are left out."""
        ...

    def span(self, namespace: Namespace) -> tuple[datetime, datetime] | None:
        """When the first and when the last episode was said; None where there is none."""
        ...

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
        """Current facts (and retired ones, on request), or those that held in the world at `as_of`, in the order in
        which they were recorded. `after` a position and `limit` page them; `source` keeps to those from one episode."""
        ...

    def update_text(self, namespace: Namespace, id: str, text: str, at: datetime) -> Episode | Fact:
        """New words for a memory; the old ones stay in its history, and adapters that hold it are tainted.

        Current facts that stand on an episode alone are withdrawn (retired as never having held) and the others lose
        this source: the episode counts as unextracted again. A fact's training items go."""
        ...

    def set_quarantine(self, namespace: Namespace, id: str, quarantined: bool, at: datetime) -> None:
        """Set a memory aside, or release it. Facts follow their episodes: into quarantine when all of them are there,
        out of it with the first. Adapters that hold a fact which goes into quarantine are tainted."""
        ...

    def expire(self, namespace: Namespace, id: str, at: datetime) -> None:
        """Retire a fact without a successor."""
        ...

    def erase(self, namespace: Namespace, id: str, at: datetime) -> dict[str, Any]:
        """Remove a memory for good: its row, its history's texts, the facts that stand on it alone (and theirs),
        training items and audits; adapters that hold any of it are tainted. No byte of the text stays in the
        database. Facts that other episodes also state lose this source and one of their evidence; those whose text
        only quotes what is erased are told in their own bare words, and adapters that hold them are tainted. Returns
        {"removed": {place: count}, "facts": [ids], "reworded": [ids], "tainted_adapters": [versions], "parts": [the ids
        under which the rest of a memory in parts (`stores.parts`) was, erased with it], "scrubbed": whether the bytes
        are out of the files already; if not, the next open or erasure makes sure of it}."""
        ...

    def history(self, namespace: Namespace, id: str) -> list[Event]:
        """Oldest first; that of an erased memory has no texts."""
        ...

    # which memories are asked for, and which a dream has read
    def touch(self, namespace: Namespace, ids: Sequence[str], at: datetime) -> None:
        """Count one use of each of `ids`; those that are not there are left out. Cheap: a
        power cut may undo it, and so may a crash while another thread writes."""
        ...

    def uses(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, int]:
        """How often each of `ids` was used: 0 for never."""
        ...

    def unextracted(self, namespace: Namespace, limit: int | None = None) -> list[Episode]:
        """Episodes that no dream has extracted facts from since they were written or reworded, oldest first; those
        in quarantine wait."""
        ...

    def mark_extracted(self, namespace: Namespace, ids: Sequence[str]) -> None: ...

    def namespaces(self) -> list[Namespace]: ...

    def counts(self, namespace: Namespace) -> dict[str, int]:
        """Numbers of `episodes`, `facts` (current), `retired_facts`, `training_items`, `adapters`, `dreams` and
        `outbox` entries that some consumer has not acknowledged."""
        ...

    # moving between ledgers
    def archive(self, namespace: Namespace) -> Archive:
        """Everything that `restore` needs, as it was at one moment."""
        ...

    def restore(self, namespace: Namespace, archive: Archive) -> None:
        """Take in what another ledger's `archive` gave, all or none: the records and histories word for word, with
        positions of this ledger. Raises `InvalidInput` for an id that is here already, or was and is erased, and for
        records that do not belong together."""
        ...

    # outbox of the derived indexes
    def pending(self, consumer: str, *, limit: int = 1000) -> list[OutboxEntry]:
        """The next entries that `consumer` has not acknowledged."""
        ...

    def last_pending(self, consumers: Sequence[str], namespace: Namespace | None = None) -> int:
        """The last position of an entry (of `namespace`, where one is named) that one of `consumers` has not
        acknowledged; 0 for none."""
        ...

    def acknowledged_up_to(self, consumers: Sequence[str]) -> int:
        """The position up to which all of `consumers` have acknowledged everything."""
        ...

    def acknowledge(self, consumer: str, position: int) -> None:
        """`consumer` has followed everything up to `position`."""
        ...

    def reset_consumer(self, consumer: str) -> None:
        """Forget what `consumer` acknowledged: it will be told everything that is there again."""
        ...

    # what dreams leave
    def save_items(self, items: Sequence[TrainingItem]) -> None: ...

    def items(self, namespace: Namespace, facts: Sequence[str] | None = None) -> list[TrainingItem]: ...

    def drop_items(self, namespace: Namespace, facts: Sequence[str]) -> None: ...

    def save_adapter(self, adapter: AdapterRecord) -> None:
        """Insert, or replace the record of the same version. Facts that are not current by now are tainted, and a
        taint stays. The status is `active` for the version that the alias names, and for no other."""
        ...

    def adapters(self, namespace: Namespace) -> list[AdapterRecord]:
        """Oldest first."""
        ...

    def adapter(self, namespace: Namespace, version: str) -> AdapterRecord | None: ...

    def adapter_summaries(self, namespace: Namespace) -> list[AdapterSummary]:
        """Oldest first."""
        ...

    def holdings(self, namespace: Namespace, facts: Sequence[str]) -> list[Holding]:
        """Every place that one of `facts` has in an adapter: the oldest adapter first, and its facts in its order."""
        ...

    def activate(self, namespace: Namespace, version: str | None, at: datetime) -> None:
        """Move the alias `active` (None: to no adapter): the new one becomes active and the one before retired,
        in one transaction. Raises `UnknownAdapter`."""
        ...

    def active(self, namespace: Namespace) -> AdapterRecord | None: ...

    def activations(self, namespace: Namespace) -> list[tuple[datetime, str | None]]:
        """Every move of the alias, oldest first."""
        ...

    def save_audits(self, namespace: Namespace, audits: Sequence[Audit]) -> None: ...

    def audits(self, namespace: Namespace, adapter: str) -> list[Audit]: ...

    def save_dream(self, report: DreamReport) -> None:
        """Insert, or replace the report of the same id."""
        ...

    def dreams(self, namespace: Namespace) -> list[DreamReport]:
        """Oldest first."""
        ...

    def set_value(self, namespace: Namespace, key: str, value: Mapping[str, Any] | None) -> None:
        """Small JSON state (a running dream's step, calibration): ids and figures, never texts; None removes it."""
        ...

    def value(self, namespace: Namespace, key: str) -> dict[str, Any] | None: ...

    def check(self) -> list[str]:
        """What is wrong with the database itself, one line each; empty when it is sound."""
        ...

    def close(self) -> None: ...
