"""`Memory`, with the calls of Mem0's class of that name."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.records import Episode, Fact
from hybridmem.integrations.mem0.filters import EXPIRES, expiry, not_expired, translated
from hybridmem.integrations.mem0.schemas import IDENTITY, Item, added, items, scored
from hybridmem.integrations.mem0.schemas import changes as history_lines
from hybridmem.integrations.mem0.scope import OWNERS, Scope, is_owned, parsed_id
from hybridmem.memory import HybridMemory

OURS = "hybridmem"
"""The key of a configuration that is read here; its value has ``path``, ``model`` and ``embedder``."""
PROCEDURAL = "procedural_memory"
PAGE = 200
EVERYTHING_NAMED = {"kind": ["episode", "fact"]}
_KEEP = object()

log = logging.getLogger(__name__)


class Memory:
    """The memories of many users, agents and runs in one folder.

    >>> memory = Memory({"hybridmem": {"path": "memory"}})            # doctest: +SKIP
    >>> memory.add("I live in Porto.", user_id="ana")                 # doctest: +SKIP
    {'results': [{'id': 'ep_...:users:ana', 'memory': 'I live in Porto.', 'event': 'ADD'}]}
    """

    def __init__(self, config: Mapping[str, Any] | None = None, *, memory: HybridMemory | None = None) -> None:
        """Uses `memory`, which its owner closes, or else the folder that `config` or HYBRIDMEM_DIR names."""
        self._owned = memory is None
        self._memory = memory if memory is not None else _opened(config or {})

    @classmethod
    def from_config(cls, config_dict: Mapping[str, Any]) -> Memory:
        """From a configuration of Mem0's. Only its key ``hybridmem`` is used; others are logged."""
        return cls(config_dict)

    def add(
        self,
        messages: str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        timestamp: str | float | datetime | None = None,
        expiration_date: Any = None,
        infer: bool = True,
        memory_type: str | None = None,
        prompt: str | None = None,
    ) -> dict[str, list[Item]]:
        """Remember a text or messages word for word, without system messages. No model is called.

        With `infer`, the next dream extracts facts from them. `timestamp` is a date or Unix seconds. `prompt` is
        ignored: there is nothing to prompt."""
        scope = Scope.of(user_id, agent_id, run_id)
        if memory_type not in (None, PROCEDURAL):
            raise InvalidInput(f"the memory type {str(memory_type)[:40]!r} is none: pass {PROCEDURAL!r}, or leave it")
        arguments.mapping_or_none("metadata", metadata)
        kept = {key: value for key, value in (metadata or {}).items() if key not in IDENTITY}
        if scope.agent_id is not None:
            kept["agent_id"] = scope.agent_id
        if memory_type is not None:
            kept["memory_type"] = memory_type
        turns = _to_messages(messages)
        if not turns:
            return {"results": []}
        memory = self._memory.at(scope.namespace)
        expires = expiry(expiration_date) if expiration_date is not None else None
        episodes = memory.add(
            turns, session=scope.run_id, at=timestamp, metadata=kept, source="mem0", expires_at=expires
        )
        return {"results": [added(memory.namespace, episode, verbatim=not infer) for episode in episodes]}

    def search(
        self,
        query: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        top_k: int = 20,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
        threshold: float | None = None,
        rerank: bool = False,
        explain: bool = False,
        show_expired: bool = False,
    ) -> dict[str, list[Item]]:
        """The owner's memories nearest to `query`, by their scores: how probable it is that each bears on it.

        `threshold` cuts by the score. The arguments (Mem0 1) or `filters` (Mem0 2) name the owner; `limit` is the older
        name of `top_k`. Results are always fused, whatever `rerank` is."""
        scope = Scope.of(user_id, agent_id, run_id, filters)
        wanted = _count(top_k if limit is None else limit)
        memory = self._memory.at(scope.namespace)
        hits = memory.search(
            query,
            limit=max(1, wanted),
            filters=_wanted(memory, scope, filters, show_expired=show_expired),
            min_score=threshold,
            include_expired=show_expired,
        )
        records = memory.ledger.get_many(memory.namespace, [hit.id for hit in hits])
        by_id = dict(zip(records, items(memory, list(records.values())), strict=True))
        found = [scored(by_id[hit.id], hit, explain=explain) for hit in hits[:wanted] if hit.id in by_id]
        return {"results": sorted(found, key=lambda item: -item["score"])}

    def get(self, memory_id: str) -> Item | None:
        """One memory; None for an unknown id."""
        try:
            memory, id = self._named(memory_id)
            return items(memory, [memory.get(id)])[0]
        except UnknownMemory:
            return None

    def get_all(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        filters: Mapping[str, Any] | None = None,
        top_k: int = 20,
        limit: int | None = None,
        show_expired: bool = False,
    ) -> dict[str, list[Item]]:
        """The owner's memories in the order of adding, without quarantined and superseded ones."""
        scope = Scope.of(user_id, agent_id, run_id, filters)
        wanted = _count(top_k if limit is None else limit)
        memory = self._memory.at(scope.namespace)
        memory.ledger.expire_due(memory.namespace, memory.clock())
        kept: list[Episode | Fact] = []
        for page in _pages(memory, _wanted(memory, scope, filters, show_expired=show_expired)):
            kept += [record for record in page if not (record.quarantined or record.superseded_by)]
            if len(kept) >= wanted:
                break
        found = items(memory, kept[:wanted])
        return {"results": [{key: value for key, value in item.items() if key != "score"} for item in found]}

    def update(
        self,
        memory_id: str,
        text: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        expiration_date: Any = _KEEP,
        data: str | None = None,
    ) -> dict[str, str]:
        """Give a memory new words (`data` is the older name of `text`), merge `metadata` into its own, set its
        expiration date, or clear it with None."""
        words = text if text is not None else data
        changes: dict[str, Any] = {}
        arguments.mapping_or_none("metadata", metadata)
        if metadata is not None:
            changes["metadata"] = {key: value for key, value in metadata.items() if key not in IDENTITY}
        if expiration_date is not _KEEP:
            changes["expires_at"] = expiry(expiration_date) if expiration_date is not None else None
            # Where an earlier version kept it.
            changes["metadata"] = {**changes.get("metadata", {}), EXPIRES: None}
        if words is None and not changes:
            raise InvalidInput("there is nothing to update: pass the new text, metadata or an expiration date")
        memory, id = self._known(memory_id)
        memory.update(id, words, **changes)
        return {"message": "Memory updated successfully!"}

    def delete(self, memory_id: str) -> dict[str, str]:
        """Erase a memory everywhere. Raises `InvalidInput` (a `ValueError`, as Mem0 has it) for an unknown id."""
        memory, id = self._known(memory_id)
        memory.delete(id)
        return {"message": "Memory deleted successfully!"}

    def delete_all(
        self, user_id: str | None = None, agent_id: str | None = None, run_id: str | None = None
    ) -> dict[str, str]:
        """Erase all of an owner's memories, or those of one agent or run, whoever's they are."""
        scope = Scope.of(user_id, agent_id, run_id)
        for namespace in self._memory.ledger.namespaces():
            if is_owned(namespace) and (ids := scope.within(namespace)) is not None:
                self._erase(self._memory.at(namespace), ids)
        return {"message": "Memories deleted successfully!"}

    def history(self, memory_id: str) -> list[Item]:
        """What became of a memory, oldest first; empty for an unknown id."""
        try:
            memory, id = self._named(memory_id)
            events = memory.history(id)
        except UnknownMemory:
            return []
        return history_lines(memory.namespace, events, memory.ledger.get_many(memory.namespace, [id]).get(id))

    def reset(self) -> None:
        """Erase every memory of every user, agent and run in the folder."""
        for namespace in self._memory.ledger.namespaces():
            if is_owned(namespace):
                self._erase(self._memory.at(namespace), {})

    def close(self) -> None:
        if self._owned:
            self._memory.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _named(self, memory_id: str) -> tuple[HybridMemory, str]:
        found = parsed_id(memory_id)
        if found is None:
            raise UnknownMemory(f"no memory has the id {str(memory_id)[:80]!r}: take one that add or search returned")
        return self._memory.at(found[0]), found[1]

    def _known(self, memory_id: str) -> tuple[HybridMemory, str]:
        try:
            memory, id = self._named(memory_id)
            memory.get(id)
        except UnknownMemory:
            raise InvalidInput(
                f"Memory with id {str(memory_id)[:80]} not found: take an id that add or search returned"
            ) from None
        return memory, id

    def _erase(self, memory: HybridMemory, ids: Mapping[str, str]) -> None:
        """Erase everything in the namespace, retired facts too, or what has all the `ids`."""
        memory.delete_many(translated(ids, memory.namespace) or EVERYTHING_NAMED)


def _opened(config: Mapping[str, Any]) -> HybridMemory:
    own = config.get(OURS) or {}
    if not isinstance(own, Mapping) or (unknown := own.keys() - {"path", "model", "embedder"}):
        named = f" ({sorted(map(str, unknown))[0]!r} is none of them)" if isinstance(own, Mapping) else ""
        raise InvalidInput(f"the configuration's {OURS!r} takes path, model and embedder{named}")
    if unread := sorted(config.keys() - {OURS}):
        log.warning("not used by hybridmem, which has its own model, index and ledger: %s", ", ".join(unread))
    return HybridMemory.open(
        own.get("path") or os.environ.get("HYBRIDMEM_DIR", "memory"),
        model=own.get("model") or os.environ.get("HYBRIDMEM_MODEL"),
        embedder=own.get("embedder") or os.environ.get("HYBRIDMEM_EMBEDDER"),
    )


def _to_messages(messages: Any) -> list[dict[str, Any]]:
    """The messages for `HybridMemory.add`: role, words and speaker, without system messages."""
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    elif isinstance(messages, Mapping):
        messages = [messages]
    if not isinstance(messages, list | tuple) or not all(isinstance(message, Mapping) for message in messages):
        raise InvalidInput("the messages are neither a text nor messages: pass a str, a dict or a list of dicts")
    return [
        {key: message[key] for key in ("role", "content", "name") if message.get(key) is not None}
        for message in messages
        if message.get("role") != "system" and message.get("content") is not None
    ]


def _pages(memory: HybridMemory, filters: Mapping[str, Any]) -> Iterator[list[Episode | Fact]]:
    after = 0
    while page := memory.list(limit=PAGE, after=after, filters=filters):
        after = page[-1].position
        yield page


def _wanted(
    memory: HybridMemory, scope: Scope, filters: Mapping[str, Any] | None, *, show_expired: bool
) -> dict[str, Any]:
    """The core's filter for what a call keeps to."""
    others = {key: value for key, value in (filters or {}).items() if key not in OWNERS}
    parts = [translated(scope.narrowing(), memory.namespace), translated(others, memory.namespace)]
    return {"and": [*parts, *([] if show_expired else [not_expired(memory.clock())])]}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(f"top_k {str(value)[:40]!r} is no number of memories: pass 0 or more")
    return value
