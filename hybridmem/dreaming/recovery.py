"""What a dream finds of one that was stopped before its end, and how it puts that in order."""

from __future__ import annotations

from dataclasses import replace

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport
from hybridmem.dreaming.steps.unlearn import erased, remove_weights
from hybridmem.stores.ledger.base import Ledger

UNCALIBRATED = "uncalibrated"
"""Ledger value: the adapter that was promoted and that the router's heads were not fitted on yet."""


def next_night(ledger: Ledger, namespace: Namespace) -> int:
    """The number of the night that a dream would be."""
    nights = [report.night for report in ledger.dreams(namespace) if report.status in ("promoted", "rejected")]
    return max(nights, default=0) + 1


def finish_stopped(ledger: Ledger, registry: AdapterRegistry, namespace: Namespace, dream: str) -> bool:
    """Whether the night of the stopped `dream` is over: it had its report, or it had moved the alias already, and then
    what the ledger knows of it becomes its report."""
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
    """An adapter that a stopped dream registered and never promoted will not be; files that no record names go, and
    weights that it had still to unlearn."""
    for record in ledger.adapters(namespace):
        if record.status == "candidate":
            ledger.save_adapter(replace(record, status="rejected"))
    registry.prune()
    remove_weights(registry, erased(ledger, namespace))
