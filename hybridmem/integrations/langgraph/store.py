"""`HybridStore`: LangGraph's store, kept in a memory's ledger and found by its vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal

from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    validate_op_namespace,
)

from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.evaluate import admits
from hybridmem.core.filters.parse import parse
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Trust
from hybridmem.integrations.dollar_filters import translated
from hybridmem.integrations.langgraph.item import FIELD, StoredItem, keep_quarantine, stored_item
from hybridmem.integrations.langgraph.names import ROOT, Path, home, item_id, path_of
from hybridmem.integrations.langgraph.nearest import nearest
from hybridmem.integrations.langgraph.sweeper import Sweeper
from hybridmem.integrations.langgraph.texts import EVERYTHING, searchable
from hybridmem.maintenance.erasure import erase_many
from hybridmem.memory import HybridMemory

_FIRST_PAGE, _PAGE = 20, 500
_SWEEP_MINUTES = 5.0

Found = tuple[Episode, StoredItem]
"""An item, and the episode that holds it."""


class HybridStore(BaseStore):
    """LangGraph's store under the namespace of `memory`: durable, shared by threads and processes, searched by meaning.

    `index` names the searched fields (``{"fields": ["text", "notes[*].title"]}``; by default the whole value, with
    False nothing). The memory has the embedding model. `ttl` is LangGraph's own `TTLConfig`. `trust` says who vouches
    for the items. Each LangGraph namespace has a namespace of the ledger, which `memory` returns.

    >>> store = HybridStore(memory)                                                     # doctest: +SKIP
    >>> store.put(("notes", "ana"), "home", {"text": "Ana lives in Porto."})            # doctest: +SKIP
    >>> store.search(("notes",), query="Where does Ana live?")[0].key                   # doctest: +SKIP
    'home'
    """

    supports_ttl = True

    def __init__(
        self,
        memory: HybridMemory,
        *,
        index: IndexConfig | Literal[False] | None = None,
        ttl: TTLConfig | None = None,
        trust: Trust = "agent",
    ) -> None:
        self._memory = memory
        self._fields = _fields(index)
        self._root = (*memory.namespace, ROOT)
        self._trust = trust
        self._sweeper: Sweeper | None = None
        self.ttl_config = ttl

    def memory(self, namespace: Path) -> HybridMemory:
        """The memory with the items of one LangGraph namespace, for searches, dreams and answers. It shares everything
        with the store's own memory; do not close it."""
        return self._memory.at(home(self._memory.namespace, namespace))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Each operation's result, in order. Reads see the state before the batch. The last of several puts with one
        key counts. Raises `InvalidInput` and LangGraph's `InvalidNamespaceError`."""
        every = list(ops)
        for op in every:
            validate_op_namespace(op)
        results: list[Result] = [None] * len(every)
        used: list[Found] = []
        puts: dict[tuple[Path, str], PutOp] = {}
        self._get_all(every, results, used)
        for number, op in enumerate(every):
            if isinstance(op, SearchOp):
                results[number] = self._search(op, used)
            elif isinstance(op, ListNamespacesOp):
                results[number] = self._list_namespaces(op)
            elif isinstance(op, PutOp):
                puts[op.namespace, op.key] = op
            elif not isinstance(op, GetOp):
                raise InvalidInput(f"a store has no operation {type(op).__name__}: pass LangGraph's own")
        self._refresh(used)
        self._put_all(list(puts.values()))
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """`batch` in a worker thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    # ---- time to live

    def sweep_ttl(self) -> int:
        """Erase the expired items; returns how many."""
        swept = 0
        for namespace in self._memory.ledger.child_namespaces(self._root):
            now = self._memory.clock()
            expired = [episode for episode, item in self._walk([namespace], all=True) if item.expired(now)]
            if expired:
                # Items put in the meantime have higher positions, and stay.
                last = max(episode.position for episode in expired)
                erase_many(self._memory.at(namespace).workspace, [episode.id for episode in expired], up_to=last)
                swept += len(expired)
        return swept

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep in the background every `sweep_interval_minutes`, or at the configured interval; cancelling the future
        ends it. Without a TTL configuration there is nothing to do, and the future is done."""
        if not self.ttl_config:
            done: Future[None] = Future()
            done.set_result(None)
            return done
        if self._sweeper is None or not self._sweeper.running:
            minutes = sweep_interval_minutes or self.ttl_config.get("sweep_interval_minutes") or _SWEEP_MINUTES
            self._sweeper = Sweeper(lambda: HybridStore.sweep_ttl(self), minutes * 60)
        return self._sweeper.future

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the background sweeping; returns whether it ended within `timeout` seconds."""
        return self._sweeper is None or self._sweeper.stop(timeout)

    def _is_listed(self, item: StoredItem) -> bool:
        omits = bool(self.ttl_config and self.ttl_config.get("omit_expired"))
        return not (omits and item.expired(self._memory.clock()))

    def _refresh(self, used: Sequence[Found]) -> None:
        now = self._memory.clock()
        fresh = [(episode, item.used(now)) for episode, item in used if item.ttl is not None]
        if fresh:
            self._memory.ledger.annotate(
                [replace(episode, metadata={**episode.metadata, **item.metadata()}) for episode, item in fresh]
            )

    # ---- reading

    def _get_all(self, ops: Sequence[Op], results: list[Result], used: list[Found]) -> None:
        wanted: dict[Namespace, list[tuple[int, GetOp, str]]] = {}
        for number, op in enumerate(ops):
            if isinstance(op, GetOp):
                namespace = home(self._memory.namespace, op.namespace)
                wanted.setdefault(namespace, []).append((number, op, item_id(namespace, op.key)))
        for namespace, gets in wanted.items():
            found = self._memory.ledger.get_many(namespace, [id for _, _, id in gets])
            for number, op, id in gets:
                episode = found.get(id)
                item = stored_item(episode) if isinstance(episode, Episode) else None
                if isinstance(episode, Episode) and item is not None and self._is_listed(item):
                    results[number] = item.item()
                    if op.refresh_ttl:
                        used.append((episode, item))

    def _search(self, op: SearchOp, used: list[Found]) -> list[SearchItem]:
        namespaces = self._memory.ledger.child_namespaces(home(self._memory.namespace, op.namespace_prefix))
        offset, end = max(op.offset, 0), max(op.offset, 0) + max(op.limit, 0)
        found: list[tuple[float | None, Found]] = []
        wanted = parse(translated(op.filter, f"metadata.{FIELD}.value"))

        def admitted(found_item: Found) -> bool:
            return self._is_listed(found_item[1]) and admits(wanted, found_item[0])

        ranked = bool(op.query) and bool(self._fields)
        if ranked and end and namespaces:
            best = nearest(self._memory, namespaces, op.query or "", end, admitted)
            found += best
        if len(found) < end:
            # As in LangGraph's own store, items without searchable text follow those found by theirs.
            for found_item in self._walk(namespaces):
                if len(found) == end:
                    break
                if admitted(found_item) and not (ranked and found_item[1].indexed):
                    found.append((None, found_item))
        page = found[offset:end]
        if op.refresh_ttl:
            used += [found_item for _, found_item in page]
        return [item.found(score) for score, (_, item) in page]

    def _walk(self, namespaces: Sequence[Namespace], *, all: bool = False) -> Iterator[Found]:
        """The items of `namespaces`, newest first; those in quarantine only with `all`."""
        before, size = None, _FIRST_PAGE
        while namespaces:
            page = self._memory.ledger.newest(namespaces, before=before, limit=size)
            for episode in page:
                item = stored_item(episode)
                if item is not None and (all or not (item.indexed and episode.quarantined)):
                    yield episode, item
            if len(page) < size:
                return
            before, size = page[-1].position, _PAGE

    def _list_namespaces(self, op: ListNamespacesOp) -> list[Path]:
        omits = bool(self.ttl_config and self.ttl_config.get("omit_expired"))
        paths: dict[Path, list[Namespace]] = {}
        for namespace in self._memory.ledger.child_namespaces(self._root):
            path = self._path(namespace)
            if path is not None and all(_matches(condition, path) for condition in op.match_conditions or ()):
                paths.setdefault(path if op.max_depth is None else path[: op.max_depth], []).append(namespace)
        offset, end = max(op.offset, 0), max(op.offset, 0) + max(op.limit, 0)
        listed: list[Path] = []
        for path in sorted(paths):
            if len(listed) == end:
                break
            if not omits or any(self._is_listed(item) for _, item in self._walk(paths[path], all=True)):
                listed.append(path)
        return listed[offset:]

    def _path(self, namespace: Namespace) -> Path | None:
        path = path_of(namespace, len(self._root))
        if path is not None:
            return path
        return next((item.path for _, item in self._walk([namespace], all=True)), None)

    # ---- writing

    def _put_all(self, ops: Sequence[PutOp]) -> None:
        now = self._memory.clock()
        before = self._before(ops)
        episodes: list[Episode] = []
        erased: dict[Namespace, list[str]] = {}
        for op in ops:
            namespace = home(self._memory.namespace, op.namespace)
            id = item_id(namespace, op.key)
            if op.value is None:
                erased.setdefault(namespace, []).append(id)
                continue
            fields = self._fields if op.index is None else op.index
            texts = searchable(op.value, fields) if fields and self._fields else []
            item = StoredItem(
                path=op.namespace,
                key=op.key,
                value=op.value,
                created_at=before[id][1].created_at if id in before else now,
                updated_at=now,
                ttl=op.ttl,
                indexed=bool(texts),
            )
            episodes += item.used(now).episodes(namespace, texts, self._trust)
        self._memory.ledger.put_episodes(keep_quarantine(self._memory.ledger, episodes), now)
        for namespace, ids in erased.items():
            erase_many(self._memory.at(namespace).workspace, ids)

    def _before(self, ops: Sequence[PutOp]) -> dict[str, Found]:
        """The items that `ops` replace, by id."""
        wanted: dict[Namespace, list[str]] = {}
        for op in ops:
            namespace = home(self._memory.namespace, op.namespace)
            wanted.setdefault(namespace, []).append(item_id(namespace, op.key))
        before: dict[str, Found] = {}
        for namespace, ids in wanted.items():
            for id, episode in self._memory.ledger.get_many(namespace, ids).items():
                item = stored_item(episode) if isinstance(episode, Episode) else None
                if isinstance(episode, Episode) and item is not None:
                    before[id] = episode, item
        return before


def _fields(index: IndexConfig | Literal[False] | None) -> list[str]:
    if index is False:
        return []
    named: Mapping[str, Any] = index or {}
    if named.get("embed") is not None:
        raise InvalidInput(
            "the memory embeds what is put: leave embed and dims out of index, and name another model with "
            "HybridMemory.open(embedder=...)"
        )
    return list(named.get("fields") or [EVERYTHING])


def _matches(condition: MatchCondition, path: Path) -> bool:
    pattern = condition.path
    if condition.match_type not in {"prefix", "suffix"}:
        raise InvalidInput(f"a namespace has no {condition.match_type!r}: match its prefix or its suffix")
    if len(pattern) > len(path):
        return False
    end = path[: len(pattern)] if condition.match_type == "prefix" else path[len(path) - len(pattern) :]
    return all(wanted in {"*", label} for wanted, label in zip(pattern, end, strict=True))
