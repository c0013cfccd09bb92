"""One erasure across every place that holds a memory: ledger, history, indexes, training items, adapters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.nodes import EVERYTHING, Filter
from hybridmem.core.records import BulkReceipt, ErasureReceipt
from hybridmem.dreaming.steps.unlearn import in_weights, is_dreaming, remove_training, remove_weights
from hybridmem.maintenance import leftovers
from hybridmem.maintenance.leftovers import Leftovers
from hybridmem.redaction import redact
from hybridmem.standing import profile
from hybridmem.stores.ledger.erasure import Erasure, merge_erasures
from hybridmem.workspace import Workspace

SHOWN = 3
"""Ids that a line of the receipt names; its fields have all of them."""


def erase(workspace: Workspace, id: str, *, copies: bool = False) -> ErasureReceipt:
    """Erase one memory and what came of it, with `copies` also the other memories in the same words. What takes a
    dream, or another process, or a decision is `pending` in the receipt, and what still says it is named there."""
    ledger, namespace, at = workspace.ledger, workspace.namespace, workspace.clock()
    if not ledger.get_many(namespace, [id]) and (events := workspace.forget_in_sessions([id], ())):
        # A message of a session that was never added to the memory.
        return ErasureReceipt(id, namespace, at, {"session_events": events})
    words = leftovers.words_of(workspace, id)
    sources = leftovers.sources_of(ledger.get(namespace, id))
    erased, gone = _erase_one(workspace, id, at)
    left = _left(workspace, words, sources)
    if copies:
        others: list[str] = []
        for copy in ledger.get_many(namespace, left.copies):
            if copy not in gone and ledger.get_many(namespace, [copy]):
                others += leftovers.words_of(workspace, copy)
                further, also = _erase_one(workspace, copy, at)
                erased, gone = merge_erasures([erased, further], scrubbed=further.scrubbed), [*gone, *also]
        left = _left(workspace, words, ledger.get_many(namespace, sources))
        # A copy took its history and its facts along, which may say other things.
        beside = _left(workspace, others)
        mentions = dict.fromkeys((*left.mentions, *beside.copies, *beside.mentions))
        left = Leftovers(left.copies, tuple(id for id in mentions if id not in left.copies))
    return _receipt(workspace, id, gone, words, erased, at, left)


def erase_many(
    workspace: Workspace, ids: Sequence[str], *, up_to: int | None = None, name_left: bool = False
) -> ErasureReceipt | None:
    """Erase those of `ids` that are there, as `erase` does, at the cost of one; see `Ledger.erase_all` for `up_to`.
    None where nothing was there. What still says it is named with `name_left` alone."""
    at = workspace.clock()
    doomed = workspace.ledger.get_many(workspace.namespace, ids) if name_left or workspace.resources.sessions else {}
    words = list(dict.fromkeys(text for id in doomed for text in leftovers.words_of(workspace, id)))
    sources = dict.fromkeys(source for memory in doomed.values() for source in leftovers.sources_of(memory))
    erased = workspace.ledger.erase_all(workspace.namespace, ids, at, up_to=up_to)
    if not erased.removed:
        return None
    there = workspace.ledger.get_many(workspace.namespace, ids)
    gone = [id for id in ids if id not in there]
    left = Leftovers()
    if name_left:
        left = _left(workspace, words, workspace.ledger.get_many(workspace.namespace, list(sources)))
    return _receipt(workspace, "", [*gone, *erased.parts, *erased.facts], words, erased, at, left)


def erase_matching(workspace: Workspace, filter: Filter, *, dry_run: bool = False) -> BulkReceipt:
    """Erase every memory that `filter` admits, retired facts too; with `dry_run`, only say which they are.

    Raises `InvalidInput` for the filter that admits everything: a slip must not empty a memory."""
    if filter == EVERYTHING:
        raise InvalidInput("the filter is empty and would delete every memory: say which, as in {'session': 's1'}")
    matching = workspace.ledger.matching(workspace.namespace, filter, include_retired=True)
    ids = tuple(memory.id for memory in matching)
    return (
        BulkReceipt(workspace.namespace, workspace.clock(), dry_run, ids) if dry_run else erase_listed(workspace, ids)
    )


def erase_listed(workspace: Workspace, ids: Sequence[str]) -> BulkReceipt:
    """Erase those of `ids` that are there, as `erase` does, in one transaction."""
    erased = erase_many(workspace, ids, name_left=True)
    if erased is None:
        return BulkReceipt(workspace.namespace, workspace.clock(), False, tuple(ids))
    return BulkReceipt(
        namespace=erased.namespace,
        at=erased.at,
        dry_run=False,
        ids=tuple(ids),
        removed=erased.removed,
        facts=tuple(fact for fact in erased.facts if fact not in ids),
        tainted_adapters=erased.tainted_adapters,
        pending=erased.pending,
        copies=erased.copies,
        mentions=erased.mentions,
    )


def _left(workspace: Workspace, words: Iterable[str], sources: Iterable[str] = ()) -> Leftovers:
    ledger, namespace = workspace.ledger, workspace.namespace
    texts = itertools.chain(ledger.texts(namespace), leftovers.standing_texts(ledger, namespace))
    return leftovers.find(words, texts, sources, ledger.details(namespace))


def _erase_one(workspace: Workspace, id: str, at: datetime) -> tuple[Erasure, list[str]]:
    erased = workspace.ledger.erase(workspace.namespace, id, at)
    return erased, [id, *erased.parts, *erased.facts]


def _receipt(
    workspace: Workspace,
    id: str,
    gone: Sequence[str],
    words: Sequence[str],
    erased: Erasure,
    at: datetime,
    left: Leftovers,
) -> ErasureReceipt:
    """Follow an erasure of the ledger everywhere else."""
    # Texts that a dream of this process has read without their secrets.
    redact.cache_clear()
    profile.forget(workspace, [*gone, *erased.reworded])
    # Weights before indexes: one that is damaged must not keep them, and is rebuilt without the memory anyway.
    dropped = remove_weights(workspace.adapters, gone)
    folder, lock = workspace.folder.dream(workspace.namespace), workspace.folder.dream_lock(workspace.namespace)
    stopped = remove_training(folder, lock)
    # What is only reworded comes back into the indexes, in its new words, with the next search.
    removed = {**erased.removed, **workspace.remove_from_indexes([*gone, *erased.reworded])}
    if events := workspace.forget_in_sessions(gone, words):
        removed["session_events"] = events
    if dropped:
        removed["adapters"] = len(dropped)
    if stopped:
        removed["stopped_training"] = 1
    return ErasureReceipt(
        id=id,
        namespace=workspace.namespace,
        at=at,
        removed=removed,
        facts=erased.facts,
        tainted_adapters=erased.tainted_adapters,
        pending="; ".join(_pending(workspace, gone, erased, left, dreaming=is_dreaming(lock))),
        copies=left.copies,
        mentions=left.mentions,
    )


def _pending(
    workspace: Workspace, gone: Sequence[str], erased: Erasure, left: Leftovers, *, dreaming: bool
) -> list[str]:
    pending = []
    active = workspace.adapters.active()
    if active is not None and not in_weights(workspace.adapters.list(), active.version).isdisjoint(gone):
        pending.append(
            f"adapter {active.version} is no longer asked about it: run `hybridmem dream` to rebuild without it"
        )
    if dreaming:
        pending.append(
            "a dream is running: where it learns it, it removes what it has of it and starts over without, and "
            "promotes nothing that learned it"
        )
    pinned = [id for id in left.copies if id.startswith(leftovers.PINNED)]
    copies = [id for id in left.copies if id not in pinned]
    if copies:
        pending.append(f"{_named(copies)} in the same words: delete them too, or one with copies")
    if pinned:
        pending.append(f"{_named(pinned)} in the same words: no deletion of a memory changes a block or a question")
    if left.mentions:
        pending.append(f"{_named(left.mentions)} among other things: delete what should go, too")
    if not erased.scrubbed:
        pending.append("its bytes leave the ledger's file when no other process reads it: open the memory then")
    return pending


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more} still {'says' if len(ids) == 1 else 'say'} it"
