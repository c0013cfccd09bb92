"""One erasure across every place that holds a memory: ledger, history, indexes, training items, adapters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hybridmem.core.records import ErasureReceipt
from hybridmem.dreaming.steps.unlearn import in_weights, remove_training, remove_weights

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory


def erase(memory: HybridMemory, id: str) -> ErasureReceipt:
    """Erase one memory and what came of it; what takes a dream, or another process, is `pending` in the receipt."""
    at = memory._clock()
    erased = memory.ledger.erase(memory.namespace, id, at)
    return _receipt(memory, id, [id, *erased["parts"], *erased["facts"]], erased, at)


def erase_many(memory: HybridMemory, ids: Sequence[str], *, up_to: int | None = None) -> None:
    """Erase those of `ids` that are there, as `erase` does, at the cost of one; see `Ledger.erase_all` for `up_to`."""
    at = memory._clock()
    erased = memory.ledger.erase_all(memory.namespace, ids, at, up_to=up_to)
    if erased["removed"]:
        there = memory.ledger.get_many(memory.namespace, ids)
        gone = [id for id in ids if id not in there]
        _receipt(memory, "", [*gone, *erased["parts"], *erased["facts"]], erased, at)


def _receipt(
    memory: HybridMemory, id: str, gone: Sequence[str], erased: dict[str, Any], at: datetime
) -> ErasureReceipt:
    """Follow an erasure of the ledger everywhere else."""
    # Weights before indexes: one that is damaged must not keep them, and is rebuilt without the memory anyway.
    dropped = remove_weights(memory.adapters, gone)
    stopped = remove_training(memory.folder.dream(memory.namespace), memory.folder.dream_lock(memory.namespace))
    # What is only reworded comes back into the indexes, in its new words, with the next search.
    removed = {**erased["removed"], **memory.indexes.remove(memory.namespace, [*gone, *erased["reworded"]])}
    if dropped:
        removed["adapters"] = len(dropped)
    if stopped:
        removed["stopped_training"] = 1
    pending = []
    active = memory.adapters.active()
    if active is not None and not in_weights(memory.adapters.list(), active.version).isdisjoint(gone):
        pending.append(
            f"adapter {active.version} is no longer asked about it: run `hybridmem dream` to rebuild without it"
        )
    if not erased["scrubbed"]:
        pending.append("its bytes leave the ledger's file when no other process reads it: open the memory then")
    return ErasureReceipt(
        id=id,
        namespace=memory.namespace,
        at=at,
        removed=removed,
        facts=tuple(erased["facts"]),
        tainted_adapters=tuple(erased["tainted_adapters"]),
        pending="; ".join(pending),
    )
