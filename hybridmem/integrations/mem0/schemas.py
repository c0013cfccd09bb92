"""Memories and their history as the dictionaries that Mem0 returns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact, Hit
from hybridmem.integrations.mem0.filters import EXPIRES, last_day
from hybridmem.integrations.mem0.scope import owner_of, public_id

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

IDENTITY = frozenset({"user_id", "agent_id", "run_id", "actor_id"})
"""Set only by a call's own arguments: metadata cannot give a memory to another owner."""
EVENTS = {"added": "ADD", "updated": "UPDATE", "edited": "UPDATE", "deleted": "DELETE"}
Item = dict[str, Any]


def items(memory: HybridMemory, records: Sequence[Episode | Fact]) -> list[Item]:
    """Each record as `get` and `get_all` return it. A fact has the run, agent and metadata of its first source."""
    wanted = [record.sources[0] for record in records if isinstance(record, Fact) and record.sources]
    sources = memory.ledger.get_many(memory.namespace, wanted)
    return [_item(memory, record, _source_episode(record, sources)) for record in records]


def _source_episode(record: Episode | Fact, sources: Mapping[str, Episode | Fact]) -> Episode | None:
    origin = sources.get(record.sources[0]) if isinstance(record, Fact) and record.sources else record
    return origin if isinstance(origin, Episode) else None


def _item(memory: HybridMemory, record: Episode | Fact, source: Episode | None) -> Item:
    own = record.metadata if isinstance(record, Fact) else {}
    metadata = {**(source.metadata if source else {}), **own}
    expires = record.expires_at or (source.expires_at if source else None)
    older = metadata.pop(EXPIRES, None)
    promoted = {
        **owner_of(memory.namespace),
        "agent_id": metadata.pop("agent_id", None),
        "run_id": source.session if source else None,
        "actor_id": source.speaker if source else None,
        "role": source.role if source else None,
        EXPIRES: last_day(expires) if expires else older,
    }
    promoted |= owner_of(memory.namespace)
    changed = [event.at for event in memory.history(record.id) if event.event in ("updated", "edited")]
    return {
        "id": public_id(memory.namespace, record.id),
        "memory": record.text,
        "hash": hashlib.md5(record.text.encode("utf-8"), usedforsecurity=False).hexdigest(),
        "metadata": metadata or None,
        "score": None,
        "created_at": (record.at if isinstance(record, Episode) else record.recorded_at).isoformat(),
        "updated_at": max([record.recorded_at, *changed]).isoformat(),
        **{name: value for name, value in promoted.items() if value is not None},
    }


def scored(item: Item, hit: Hit, *, explain: bool) -> Item:
    """`item` as a search result, with the calibrated relevance."""
    result = {**item, "score": hit.relevance}
    return {**result, "score_details": dict(hit.why)} if explain else result


def added(namespace: Namespace, episode: Episode, *, verbatim: bool) -> Item:
    """One result of `add`; as in Mem0, the speaker is included only if nothing is inferred."""
    line = {"id": public_id(namespace, episode.id), "memory": episode.text, "event": "ADD"}
    return {**line, "actor_id": episode.speaker, "role": episode.role} if verbatim else line


def changes(namespace: Namespace, events: Sequence[Event], record: Episode | Fact | None) -> list[Item]:
    """The history of a memory, oldest first; that of an erased memory has no texts."""
    lines: list[Item] = []
    before: str | None = None
    source = record if isinstance(record, Episode) else None
    for number, event in enumerate(events):
        lines.append(
            {
                "id": f"{public_id(namespace, event.memory)}:{number}",
                "memory_id": public_id(namespace, event.memory),
                "old_memory": before,
                "new_memory": event.text,
                "event": EVENTS.get(event.event, event.event.upper()),
                "created_at": events[0].at.isoformat(),
                "updated_at": event.at.isoformat(),
                "is_deleted": event.event == "deleted",
                "actor_id": source.speaker if source else None,
                "role": source.role if source else None,
            }
        )
        before = event.text
    return lines
