"""One item of a store, and the episodes that hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from langgraph.store.base import Item, SearchItem

from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import plain_json
from hybridmem.core.records import Episode, Fact, Trust
from hybridmem.integrations.langgraph.names import Path, item_id
from hybridmem.integrations.langgraph.texts import render_value, storable
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.composite import WHOLE, with_parts

FIELD = "langgraph"
"""The entry of an episode's metadata with its item."""
SOURCE = "langgraph"


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What the ledger keeps of an item. Times are UTC."""

    path: Path
    key: str
    value: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    ttl: float | None = None
    """Minutes from its last use until it expires."""
    expires_at: datetime | None = None
    indexed: bool = True
    """Whether a search by meaning can find it."""

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at < now

    def used(self, now: datetime) -> StoredItem:
        """The item with its time to live started anew."""
        return self if self.ttl is None else replace(self, expires_at=now + timedelta(minutes=self.ttl))

    def item(self) -> Item:
        return Item(
            value=dict(self.value),
            key=self.key,
            namespace=self.path,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    def found(self, score: float | None) -> SearchItem:
        return SearchItem(
            namespace=self.path,
            key=self.key,
            value=dict(self.value),
            created_at=self.created_at,
            updated_at=self.updated_at,
            score=score,
        )

    def metadata(self) -> dict[str, Any]:
        """The item in an episode's metadata."""
        return {
            FIELD: {
                "path": list(self.path),
                "key": self.key,
                "value": dict(self.value),
                "created_at": self.created_at.isoformat(),
                "ttl": self.ttl,
                "expires_at": self.expires_at.isoformat() if self.expires_at else None,
                "indexed": self.indexed,
            }
        }

    def episodes(self, namespace: Namespace, texts: Sequence[str], trust: Trust) -> list[Episode]:
        """The episode with the item, whose text is the first of `texts`, and a part for each further text. Without
        texts, it is quarantined: no search and no dream reads it. Raises `InvalidInput` for a value that is not
        JSON."""
        id = item_id(namespace, self.key)
        plain = replace(self, value=plain_json(self.value, f"the value of {self.key!r}"))
        part_ids = [f"{id}_{number}" for number in range(1, len(texts))]
        whole = Episode(
            id=id,
            namespace=namespace,
            text=texts[0] if texts else storable(render_value(plain.value)).strip() or storable(self.key).strip() or id,
            at=self.updated_at,
            recorded_at=self.updated_at,
            source=SOURCE,
            trust=trust,
            quarantined=not texts,
            metadata=with_parts(plain.metadata(), part_ids),
        )
        return [
            whole,
            *(
                replace(whole, id=part_id, text=text, metadata={WHOLE: id})
                for part_id, text in zip(part_ids, texts[1:], strict=True)
            ),
        ]


def stored_item(episode: Episode) -> StoredItem | None:
    """The item in `episode`; None for a part of an item, and for any other memory."""
    existing = episode.metadata.get(FIELD)
    if not isinstance(existing, Mapping) or episode.source != SOURCE:
        return None
    return StoredItem(
        path=tuple(existing["path"]),
        key=existing["key"],
        value=existing["value"],
        created_at=datetime.fromisoformat(existing["created_at"]),
        updated_at=episode.recorded_at,
        ttl=existing["ttl"],
        expires_at=datetime.fromisoformat(existing["expires_at"]) if existing["expires_at"] else None,
        indexed=existing["indexed"],
    )


def keep_quarantine(ledger: Ledger, episodes: Sequence[Episode]) -> list[Episode]:
    """`episodes` ready to be put: an item in quarantine stays there until its text changes, because putting an item
    again must not release it."""
    wanted: dict[Namespace, list[str]] = {}
    for episode in episodes:
        wanted.setdefault(episode.namespace, []).append(episode.id)
    existing = {id: old for namespace, ids in wanted.items() for id, old in ledger.get_many(namespace, ids).items()}
    return [
        replace(new, quarantined=True) if _stays_quarantined(existing.get(new.id), new) else new for new in episodes
    ]


def _stays_quarantined(old: Episode | Fact | None, new: Episode) -> bool:
    if not isinstance(old, Episode) or not old.quarantined or old.text != new.text:
        return False
    item = stored_item(old)
    return item is None or item.indexed
