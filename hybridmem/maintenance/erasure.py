"""One erasure across every place that holds a memory: ledger, history, indexes, training items, adapters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hybridmem.core.records import ErasureReceipt
from hybridmem.dreaming.steps.unlearn import in_weights, remove_training, remove_weights
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.workspace import Workspace


def erase(workspace: Workspace, id: str) -> ErasureReceipt:
    """Erase one memory and what came of it; what takes a dream, or another process, is `pending` in the receipt."""
    at = workspace.clock()
    erased = workspace.ledger.erase(workspace.namespace, id, at)
    return _receipt(workspace, id, [id, *erased.parts, *erased.facts], erased, at)


def erase_many(workspace: Workspace, ids: Sequence[str], *, up_to: int | None = None) -> None:
    """Erase those of `ids` that are there, as `erase` does, at the cost of one; see `Ledger.erase_all` for `up_to`."""
    at = workspace.clock()
    erased = workspace.ledger.erase_all(workspace.namespace, ids, at, up_to=up_to)
    if erased.removed:
        there = workspace.ledger.get_many(workspace.namespace, ids)
        gone = [id for id in ids if id not in there]
        _receipt(workspace, "", [*gone, *erased.parts, *erased.facts], erased, at)


def _receipt(workspace: Workspace, id: str, gone: Sequence[str], erased: Erasure, at: datetime) -> ErasureReceipt:
    """Follow an erasure of the ledger everywhere else."""
    # Weights before indexes: one that is damaged must not keep them, and is rebuilt without the memory anyway.
    dropped = remove_weights(workspace.adapters, gone)
    stopped = remove_training(
        workspace.folder.dream(workspace.namespace), workspace.folder.dream_lock(workspace.namespace)
    )
    # What is only reworded comes back into the indexes, in its new words, with the next search.
    removed = {**erased.removed, **workspace.remove_from_indexes([*gone, *erased.reworded])}
    if dropped:
        removed["adapters"] = len(dropped)
    if stopped:
        removed["stopped_training"] = 1
    pending = []
    active = workspace.adapters.active()
    if active is not None and not in_weights(workspace.adapters.list(), active.version).isdisjoint(gone):
        pending.append(
            f"adapter {active.version} is no longer asked about it: run `hybridmem dream` to rebuild without it"
        )
    if not erased.scrubbed:
        pending.append("its bytes leave the ledger's file when no other process reads it: open the memory then")
    return ErasureReceipt(
        id=id,
        namespace=workspace.namespace,
        at=at,
        removed=removed,
        facts=erased.facts,
        tainted_adapters=erased.tainted_adapters,
        pending="; ".join(pending),
    )
