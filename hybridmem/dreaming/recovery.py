"""What a stopped dream left behind, and how the next dream puts it in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport
from hybridmem.dreaming.steps.unlearn import erased, remove_weights
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.lineage import Lineage


@dataclass(frozen=True, slots=True)
class DreamState:
    """The dream that runs, or was stopped. Version 0, from before versions, holds the same as version 1."""

    KEY: ClassVar[str] = "dream"
    VERSION: ClassVar[int] = 1
    id: str

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> DreamState:
        return cls(content["id"])


@dataclass(frozen=True, slots=True)
class Uncalibrated:
    """The adapter that was promoted and that the router's heads were not fitted on yet. Version 0, from before
    versions, holds the same as version 1."""

    KEY: ClassVar[str] = "uncalibrated"
    VERSION: ClassVar[int] = 1
    adapter: str

    def to_json(self) -> dict[str, Any]:
        return {"adapter": self.adapter}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Uncalibrated:
        return cls(content["adapter"])


def next_night(ledger: Lineage, namespace: Namespace) -> int:
    """The number of the next night."""
    nights = [report.night for report in ledger.dreams(namespace) if report.status in ("promoted", "rejected")]
    return max(nights, default=0) + 1


def finish_stopped(ledger: Ledger, registry: AdapterRegistry, namespace: Namespace, dream: str) -> bool:
    """Whether the stopped `dream` is over: it left its report, or it had already moved the alias. In the second case,
    a report is written from what the ledger knows."""
    if any(report.id == dream for report in ledger.dreams(namespace)):
        return True
    made = [record for record in registry.list() if record.dream == dream]
    moves = {version for _, version in ledger.activations(namespace)}
    promoted = [record for record in made if record.version in moves]
    if not promoted:
        return False
    record = promoted[-1]
    before = {fact for other in registry.list() if other.version == record.parent for fact in other.facts}
    ledger.save_dream(
        DreamReport(
            id=dream,
            namespace=namespace,
            status="promoted",
            night=next_night(ledger, namespace),
            started_at=record.created_at,
            seconds=0.0,
            adapter=record.version,
            parent=record.parent,
            new_facts=len(set(record.facts) - before),
            held_facts=len(record.facts),
            test={name: value for name, value in record.scores.items() if name != "scale"},
            reason="the dream was stopped after its promotion",
        )
    )
    return True


def reject_leftovers(ledger: Ledger, registry: AdapterRegistry, namespace: Namespace) -> None:
    """Reject adapters that a stopped dream registered and never promoted. Remove files that no record names, and
    weights of erased facts."""
    for record in ledger.adapters(namespace):
        if record.status == "candidate":
            ledger.save_adapter(replace(record, status="rejected"))
    registry.prune()
    remove_weights(registry, erased(ledger, namespace))
