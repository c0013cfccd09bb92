"""Which records a search may show: what holds now, or what held at a moment.

An episode that a fact superseded is left out only where a person stated that fact. A fact that a dream extracted may be
wrong, and what was really said must then still be found: such an episode is marked, and ranked lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Kind, MemoryRecord
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
    session: str | None = None
    """Only episodes of this session, and facts that came from one of them."""

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
            elif self.session is not None:
                wanted.update(dict.fromkeys(record.sources))
        return ledger.get_many(namespace, list(wanted)) if wanted else {}

    def _admits(self, record: MemoryRecord, related: Mapping[str, MemoryRecord]) -> bool:
        if record.quarantined:
            return False
        if isinstance(record, Episode):
            return "episode" in self.kinds and self._admits_episode(record, related)
        return "fact" in self.kinds and self._admits_fact(record, related)

    def _admits_episode(self, episode: Episode, related: Mapping[str, MemoryRecord]) -> bool:
        if self.session is not None and episode.session != self.session:
            return False
        successor = related.get(episode.superseded_by or "")
        stated = successor if isinstance(successor, Fact) and not successor.sources else None
        if self.as_of is None:
            return stated is None or stated.valid_from > max(self.now, stated.recorded_at)
        return episode.at <= self.as_of and not (stated and stated.valid_from <= self.as_of)

    def _admits_fact(self, fact: Fact, related: Mapping[str, MemoryRecord]) -> bool:
        if self.session is not None and not _from_session(self.session, fact.sources, related):
            return False
        return holds(fact, self.now) if self.as_of is None else valid_at(fact, self.as_of)


def _from_session(session: str, sources: Sequence[str], related: Mapping[str, MemoryRecord]) -> bool:
    episodes = (related.get(source) for source in sources)
    return any(isinstance(episode, Episode) and episode.session == session for episode in episodes)
