"""Which records a search may show: what holds now, or what held at a moment.

An episode that a fact superseded is left out only where a person stated that fact. A fact that a dream extracted may be
wrong, and what was really said must then still be found: such an episode is marked, and ranked lower. What has expired
is never shown, whatever the moment that is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hybridmem.core.filters.evaluate import admits
from hybridmem.core.filters.nodes import EVERYTHING, Filter
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Kind, MemoryRecord, has_expired
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.fact_timeline import holds, valid_at


@dataclass(frozen=True, slots=True)
class Visibility:
    """What was asked for. Quarantined records are never shown."""

    now: datetime
    kinds: tuple[Kind, ...] = ("episode", "fact")
    as_of: datetime | None = None
    """None: the facts that hold in the world `now`, and episodes that nobody has superseded by now. A moment: the
    facts that held then, and the episodes that were said by then and not yet superseded."""
    filter: Filter = EVERYTHING
    """What the caller keeps to."""
    expired: bool = False
    """Whether what has expired is shown. `Memories.expire_due` retires facts that expire with their sources, before a
    search."""

    def visible(
        self, ledger: Ledger, namespace: Namespace, records: Mapping[str, MemoryRecord]
    ) -> dict[str, MemoryRecord]:
        """Those of `records` that may be shown, in their order."""
        related = self._related(ledger, namespace, records.values())
        return {id: record for id, record in records.items() if self._admits(record, related)}

    def _related(
        self, ledger: Ledger, namespace: Namespace, records: Iterable[MemoryRecord]
    ) -> dict[str, MemoryRecord]:
        """The other records that the decision needs: the facts that superseded, the episodes behind facts."""
        wanted: dict[str, None] = {}
        for record in records:
            if isinstance(record, Episode):
                if record.superseded_by:
                    wanted[record.superseded_by] = None
            elif self.filter != EVERYTHING:
                wanted.update(dict.fromkeys(record.sources))
        return ledger.get_many(namespace, list(wanted)) if wanted else {}

    def _admits(self, record: MemoryRecord, related: Mapping[str, MemoryRecord]) -> bool:
        if record.quarantined or (not self.expired and has_expired(record, self.now)):
            return False
        if isinstance(record, Episode):
            if "episode" not in self.kinds or not self._admits_episode(record, related):
                return False
            return admits(self.filter, record)
        sources = [source for id in record.sources if isinstance(source := related.get(id), Episode)]
        held = holds(record, self.now) if self.as_of is None else valid_at(record, self.as_of)
        return "fact" in self.kinds and held and admits(self.filter, record, sources)

    def _admits_episode(self, episode: Episode, related: Mapping[str, MemoryRecord]) -> bool:
        successor = related.get(episode.superseded_by or "")
        stated = successor if isinstance(successor, Fact) and not successor.sources else None
        if self.as_of is None:
            return stated is None or stated.valid_from > max(self.now, stated.recorded_at)
        return episode.at <= self.as_of and not (stated and stated.valid_from <= self.as_of)
