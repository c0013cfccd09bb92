"""The part of a ledger that keeps memories: episodes, facts, their histories and their uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from hybridmem.core.edit import Edit
from hybridmem.core.filters.nodes import Filter
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact, Kind
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.stores.ledger.fact_timeline import Resolution


class Memories(Protocol):
    """Episodes and facts. Ids of another namespace raise `UnknownMemory`."""

    @property
    def multi_valued(self) -> frozenset[str]:
        """Relations that hold several values at a time, normalised (`cardinality.MULTI_VALUED` by default)."""
        ...

    def append(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Store `episodes` (all or none) and tell the outbox; returns them with their positions."""
        ...

    def put_fact(self, fact: Fact, *, replace: bool | None = True) -> Fact:
        """Store `fact` in its slot, as `fact_timeline.resolve` decides.

        `replace`: whether it takes the place of the slot's other current facts; None leaves that to `multi_valued`.
        What is replaced is retired in the same transaction (`valid_to` = the new `valid_from`, `superseded_by` = the
        new id), its episodes become superseded once all that they state is retired, and adapters that hold it are
        tainted. An equal current value gains the evidence and the sources instead, and that fact is returned. A fact
        that began before a current one arrives late: it is stored retired, ending where the next one begins, and the
        current one stays. A fact that would end one of higher trust contradicts it: it is stored in quarantine and
        nothing is retired; its history says "quarantined" by the fact that it contradicts. Quarantined facts meet only
        quarantined ones. Sources that are not there raise `UnknownMemory`."""
        ...

    def preview(self, facts: Sequence[Fact]) -> list[Resolution]:
        """What `put_fact` with `replace=None` would do with each of `facts`, one after the other. Writes nothing."""
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

    def texts(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        """(id, text) of every text that is there, once or more: the memories' words, those of their histories, and what
        facts state in their bare words."""
        ...

    def details(self, namespace: Namespace) -> Iterator[tuple[str, str]]:
        """(id, text) of every text and name in the memories' metadata, and in what was edited in it, and of the names
        of their sessions and speakers."""
        ...

    def said(self, namespace: Namespace, texts: Sequence[str]) -> list[Episode]:
        """Episodes with one of `texts`, word for word, in the order of the ledger."""
        ...

    def last_recorded(self, namespace: Namespace) -> datetime | None:
        """When the last memory that is there was recorded; None where there is none."""
        ...

    def span(self, namespace: Namespace) -> tuple[datetime, datetime] | None:
        """When the first and when the last episode was said; None where there is none."""
        ...

    def speakers(self, namespace: Namespace) -> frozenset[str | None]:
        """The names that turns of the role ``user`` with the user's trust carry; None is among them where some carry
        none."""
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
        """The memories that `filter` admits (`core.filters.evaluate.admits`), expired and quarantined ones among them,
        in the order of the ledger, from behind the position `after`. Retired facts only on request."""
        ...

    def update_text(
        self, namespace: Namespace, id: str, text: str, at: datetime, *, object: str | None = None
    ) -> Episode | Fact:
        """New words for a memory, and for a fact the `object` that they state; the old words stay in its history, and
        adapters that hold it are tainted.

        Current facts that stand on an episode alone are withdrawn (retired as never having held) and the others lose
        this source: the episode counts as unextracted again. A fact's training items go."""
        ...

    def edit(self, namespace: Namespace, id: str, edit: Edit, at: datetime) -> Episode | Fact:
        """Change the metadata, the tags or the expiry of a memory (`core.edit.edited`), with a line "edited" in its
        history; its words, and what was read in them, stay. Dreams read an episode anew that had expired and is
        brought back. Raises `UnknownMemory` and `InvalidInput`."""
        ...

    def set_quarantine(self, namespace: Namespace, id: str, quarantined: bool, at: datetime) -> None:
        """Set a memory aside, or release it. Facts follow their episodes: into quarantine when all of them are there,
        out of it with the first. Adapters that hold a fact which goes into quarantine are tainted."""
        ...

    def expire(self, namespace: Namespace, id: str, at: datetime) -> None:
        """Retire a fact without a successor."""
        ...

    def expire_due(self, namespace: Namespace, at: datetime) -> list[str]:
        """`expire` every current fact whose time has come by `at`, or that of the last episode behind it; returns
        their ids. Cheap where nothing expires."""
        ...

    def erase(self, namespace: Namespace, id: str, at: datetime) -> Erasure:
        """Remove a memory for good: its row, its history's texts, the facts that stand on it alone (and theirs),
        training items and audits; adapters that hold any of it are tainted. No byte of the text stays in the
        database. Facts that other episodes also state lose this source and one of their evidence; those whose text
        only quotes what is erased are stated in their own bare words, and adapters that hold them are tainted."""
        ...

    def history(self, namespace: Namespace, id: str) -> list[Event]:
        """Oldest first; that of an erased memory has no texts."""
        ...

    def touch(self, namespace: Namespace, ids: Sequence[str], at: datetime) -> None:
        """Count one use of each of `ids`; those that are not there are left out. Cheap: a
        power cut may undo it, and so may a crash while another thread writes."""
        ...

    def uses(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, int]:
        """How often each of `ids` was used: 0 for never."""
        ...

    def unextracted(
        self, namespace: Namespace, limit: int | None = None, *, at: datetime | None = None
    ) -> list[Episode]:
        """Episodes that no dream has extracted facts from since they were written or reworded, oldest first; those
        in quarantine wait, and those that have expired by `at` are left out."""
        ...

    def mark_extracted(self, namespace: Namespace, ids: Sequence[str]) -> None: ...
