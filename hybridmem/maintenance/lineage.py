"""From an episode to the facts and the adapters that hold it, and back."""

from __future__ import annotations

from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Fact, to_json
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.lineage import Holding


def why(ledger: Ledger, namespace: Namespace, id: str) -> dict[str, Any]:
    """The memory, the episodes behind it, the facts that came from it, and every adapter that holds one of them, with
    how well it recalled it. Raises `UnknownMemory`."""
    memory = ledger.get(namespace, id)
    facts = [memory] if isinstance(memory, Fact) else ledger.facts(namespace, include_retired=True, source=id)
    sources = ledger.get_many(namespace, [source for fact in facts for source in fact.sources])
    holders: dict[str, list[Holding]] = {}
    for holding in ledger.holdings(namespace, [fact.id for fact in facts]):
        holders.setdefault(holding.version, []).append(holding)
    return {
        "memory": to_json(memory),
        "episodes": [to_json(source) for source in sources.values()],
        "facts": [to_json(fact) for fact in facts],
        "adapters": [
            {
                "version": version,
                "status": held[0].status,
                "active": held[0].status == "active",
                "facts": [holding.fact for holding in held],
                "tainted": [holding.fact for holding in held if holding.tainted],
                "weights_on_disk": held[0].on_disk,
                "asked": sum(holding.asked for holding in held),
                "right": sum(holding.right for holding in held),
            }
            for version, held in holders.items()
        ],
    }
