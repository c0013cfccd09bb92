"""From an episode to the facts and the adapters that hold it, and back."""

from __future__ import annotations

from typing import Any

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.records import Fact, Namespace, to_json
from hybridmem.stores.base import Ledger


def why(ledger: Ledger, adapters: AdapterRegistry, namespace: Namespace, id: str) -> dict[str, Any]:
    """The memory, the episodes behind it, the facts that came from it, and every adapter that holds one of them, with
    how well it recalled it. Raises `UnknownMemory`."""
    memory = ledger.get(namespace, id)
    if isinstance(memory, Fact):
        facts = [memory]
    else:
        facts = [f for f in ledger.facts(namespace, include_retired=True) if id in f.sources]
    sources = ledger.get_many(namespace, [source for fact in facts for source in fact.sources])
    active = adapters.active()
    holders = []
    for record in adapters.list():
        held = [f.id for f in facts if f.id in record.facts]
        if not held:
            continue
        asked = [a for a in ledger.audits(namespace, record.version) if a.fact in held]
        holders.append(
            {
                "version": record.version,
                "status": record.status,
                "active": active is not None and active.version == record.version,
                "facts": held,
                "tainted": [fact for fact in held if fact in record.tainted],
                "weights_on_disk": bool(record.files),
                "asked": sum(a.asked for a in asked),
                "right": sum(a.right for a in asked),
            }
        )
    return {
        "memory": to_json(memory),
        "episodes": [to_json(source) for source in sources.values()],
        "facts": [to_json(fact) for fact in facts],
        "adapters": holders,
    }
