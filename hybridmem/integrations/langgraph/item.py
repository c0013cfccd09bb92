"""One item of a store, and the episodes that hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from langgraph.store.base import Item, SearchItem

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Trust
from hybridmem.integrations.langgraph.names import Path, item_id
from hybridmem.integrations.langgraph.texts import render_value, storable
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.composite import WHOLE, with_parts
from hybridmem.stores.ledger.validation import plain_json

FIELD = "langgraph"
"""The entry of an episode's metadata under which its item lies."""
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
    """Whether it has words to be found by."""

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at < now

    def used(self, now: datetime) -> StoredItem:
        """The item with its whole time to live before it."""
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
        """What of it an episode's metadata holds."""
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
        """The episode that holds it, found by the first of `texts`, and a part for each other text. Without any it is
        quarantined: neither searched nor dreamt of. Raises `InvalidInput` for a value that JSON does not hold."""
        id = item_id(namespace, self.key)
        plain = replace(self, value=plain_json(self.value, f"the value of {self.key!r}"))
        parts = [f"{id}_{number}" for number in range(1, len(texts))]
        whole = Episode(
            id=id,
            namespace=namespace,
            text=texts[0] if texts else storable(render_value(plain.value)).strip() or storable(self.key).strip() or id,
            at=self.updated_at,
            recorded_at=self.updated_at,
            source=SOURCE,
            trust=trust,
            quarantined=not texts,
            metadata=with_parts(plain.metadata(), parts),
        )
        return [
            whole,
            *(
                replace(whole, id=part, text=text, metadata={WHOLE: id})
                for part, text in zip(parts, texts[1:], strict=True)
            ),
        ]


def stored_item(episode: Episode) -> StoredItem | None:
    """The item that `episode` holds; None for a part of one, and for any other memory."""
    held = episode.metadata.get(FIELD)
    if not isinstance(held, Mapping) or episode.source != SOURCE:
        return None
    return StoredItem(
        path=tuple(held["path"]),
        key=held["key"],
        value=held["value"],
        created_at=datetime.fromisoformat(held["created_at"]),
        updated_at=episode.recorded_at,
        ttl=held["ttl"],
        expires_at=datetime.fromisoformat(held["expires_at"]) if held["expires_at"] else None,
        indexed=held["indexed"],
    )


def still_set_aside(ledger: Ledger, episodes: Sequence[Episode]) -> list[Episode]:
    """`episodes` as they are to be put: what somebody quarantined stays so until it says something else, because
    whoever puts an item must not release it by putting it again."""
    wanted: dict[Namespace, list[str]] = {}
    for episode in episodes:
        wanted.setdefault(episode.namespace, []).append(episode.id)
    held = {id: old for namespace, ids in wanted.items() for id, old in ledger.get_many(namespace, ids).items()}
    return [replace(new, quarantined=True) if _set_aside(held.get(new.id), new) else new for new in episodes]


def _set_aside(old: Episode | Fact | None, new: Episode) -> bool:
    if not isinstance(old, Episode) or not old.quarantined or old.text != new.text:
        return False
    item = stored_item(old)
    return item is None or item.indexed
