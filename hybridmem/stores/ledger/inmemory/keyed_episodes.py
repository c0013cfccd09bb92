"""Episodes under ids of their owner's, in dictionaries: the plainest twin of `sql/keyed_episodes.py`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import plain_json
from hybridmem.core.records import Episode, Event, Fact
from hybridmem.stores.ledger.composite import belongs, parts_of, related_ids, whole_of
from hybridmem.stores.ledger.erasure import Erasure, merge_erasures
from hybridmem.stores.ledger.inmemory.lineage import InMemoryLineage
from hybridmem.stores.ledger.inmemory.outbox import InMemoryOutbox
from hybridmem.stores.ledger.keyed_episodes import checked_puts, require_episodes, says_the_same
from hybridmem.stores.ledger.validation import unused_ids


class InMemoryKeyedEpisodes(InMemoryLineage, InMemoryOutbox):
    """The part of `InMemoryLedger` that `KeyedEpisodes` asks for, and `erase`."""

    def __init__(self) -> None:
        super().__init__()
        self._events: dict[str, list[Event]] = {}
        self._homes: dict[str, Namespace] = {}

    @abstractmethod
    def get(self, namespace: Namespace, id: str) -> Episode | Fact: ...

    @abstractmethod
    def get_many(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Episode | Fact]: ...

    @abstractmethod
    def _insert(self, memory: Any) -> Any: ...

    @abstractmethod
    def _erase_one(self, namespace: Namespace, id: str, at: datetime) -> Erasure: ...

    def put_episodes(self, episodes: Sequence[Episode], at: datetime) -> list[Episode]:
        checked = checked_puts(episodes)
        olds = [require_episodes(self.get_many(e.namespace, [e.id])).get(e.id) for e in checked]
        self._require_unused([e for e, old in zip(checked, olds, strict=True) if old is None])
        ids = {episode.id for episode in checked}
        for old in olds:
            if old is None:
                continue
            for id, part in self.get_many(old.namespace, parts_of(old)).items():
                if id not in ids and belongs(part, old):
                    self._erase_one(old.namespace, id, at)
        stored = []
        for episode, old in zip(checked, olds, strict=True):
            if old is not None and says_the_same(old, episode):
                kept = replace(episode, superseded_by=old.superseded_by, position=self._next_position())
                del self._memories[kept.id]
                self._memories[kept.id] = kept
                stored.append(kept)
                continue
            if old is not None:
                self._erase_one(old.namespace, old.id, at)
                del self._events[old.id]
            stored.append(self._insert(episode))
        return stored

    def erase(self, namespace: Namespace, id: str, at: datetime) -> Erasure:
        memory = self.get(namespace, id)
        family = self._family(memory)
        erased = merge_erasures((self._erase_one(namespace, member, at) for member in [id, *family]), scrubbed=True)
        return replace(erased, parts=tuple(family))

    def erase_all(self, namespace: Namespace, ids: Sequence[str], at: datetime, *, up_to: int | None = None) -> Erasure:
        erasures = []
        for id, memory in self.get_many(namespace, list(dict.fromkeys(ids))).items():
            if id in self._memories and (up_to is None or memory.position <= up_to):
                erasures.append(self.erase(namespace, id, at))
        return merge_erasures(erasures, scrubbed=True)

    def erased(self, namespace: Namespace, ids: Sequence[str]) -> set[str]:
        known = (id for id in ids if id not in self._memories and self._homes.get(id) == namespace)
        return {id for id in known if self._events.get(id)}

    def annotate(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            stored = self._memories.get(episode.id)
            if not isinstance(stored, Episode):
                continue
            if (stored.namespace, stored.position) == (episode.namespace, episode.position):
                metadata = plain_json(episode.metadata, "the metadata")
                self._memories[episode.id] = replace(stored, metadata=metadata)

    def newest(
        self, namespaces: Sequence[Namespace], *, before: int | None = None, limit: int | None = None
    ) -> list[Episode]:
        found = [m for m in self._memories.values() if isinstance(m, Episode) and m.namespace in namespaces]
        found = [episode for episode in found if before is None or episode.position < before]
        return sorted(found, key=lambda episode: -episode.position)[:limit]

    def child_namespaces(self, namespace: Namespace) -> list[Namespace]:
        homes = {memory.namespace for memory in self._memories.values() if isinstance(memory, Episode)}
        return sorted(home for home in homes if home[: len(namespace)] == namespace)

    def _require_unused(self, memories: Sequence[Episode | Fact]) -> None:
        """None has an id that is here, or was in another namespace."""
        known = [m.id for m in memories if m.id in self._memories or self._homes.get(m.id, m.namespace) != m.namespace]
        unused_ids((memory.id for memory in memories), known)

    def _family(self, memory: Episode | Fact) -> list[str]:
        near = self.get_many(memory.namespace, related_ids(memory))
        whole = near.get(whole_of(memory) or "")
        if whole is None or not belongs(memory, whole):
            whole = memory
        named = self.get_many(memory.namespace, parts_of(whole))
        members = [whole.id, *(part.id for part in named.values() if belongs(part, whole))]
        return [member for member in members if member != memory.id]
