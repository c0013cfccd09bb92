"""What dreams leave, in dictionaries: the plainest twin of `sql/lineage.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import ErasedMeanwhile, UnknownAdapter, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Audit, DreamReport, Episode, Fact, TrainingItem
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.stores.ledger.lineage import ERASED_MEANWHILE, ActiveWeights, AdapterSummary, Holding, pooled
from hybridmem.stores.ledger.validation import checked_adapter, checked_item, settled_status, trustworthy

K = TypeVar("K")
V = TypeVar("V")


class InMemoryLineage:
    """The part of `InMemoryLedger` that dreams write."""

    def __init__(self) -> None:
        super().__init__()
        self._memories: dict[str, Episode | Fact] = {}
        self._items: dict[tuple[Namespace, str], TrainingItem] = {}
        self._adapters: dict[tuple[Namespace, str], AdapterRecord] = {}
        self._activations: dict[Namespace, list[tuple[datetime, str | None]]] = {}
        self._audits: dict[tuple[Namespace, str, str, str], tuple[Namespace, Audit]] = {}
        self._dreams: dict[tuple[Namespace, str], DreamReport] = {}

    def save_items(self, items: Sequence[TrainingItem]) -> None:
        checked = [checked_item(item) for item in items]
        for item in checked:
            fact = self._memories.get(item.fact)
            if not isinstance(fact, Fact) or fact.namespace != item.namespace:
                raise UnknownMemory(f"the training item {item.id} is of fact {item.fact!r}, and there is none such")
        for item in {(item.namespace, item.id): item for item in checked}.values():
            self._items.pop((item.namespace, item.id), None)
            self._items[item.namespace, item.id] = item

    def items(self, namespace: Namespace, facts: Sequence[str] | None = None) -> list[TrainingItem]:
        items = [item for item in self._items.values() if item.namespace == namespace]
        return [item for item in items if facts is None or item.fact in facts]

    def drop_items(self, namespace: Namespace, facts: Sequence[str]) -> None:
        self._drop_items(namespace, facts)

    def save_adapter(self, adapter: AdapterRecord) -> None:
        adapter = checked_adapter(adapter)
        before = self._adapters.get((adapter.namespace, adapter.version))
        tainted = {*adapter.tainted, *(before.tainted if before else ())}
        self._adapters[adapter.namespace, adapter.version] = replace(
            adapter,
            status=settled_status(adapter, self._alias(adapter.namespace)),
            tainted=tuple(f for f in adapter.facts if f in tainted or not self._sound(adapter.namespace, f)),
        )

    def adapters(self, namespace: Namespace) -> list[AdapterRecord]:
        return [adapter for adapter in self._adapters.values() if adapter.namespace == namespace]

    def adapter(self, namespace: Namespace, version: str) -> AdapterRecord | None:
        return self._adapters.get((namespace, version))

    def adapter_summaries(self, namespace: Namespace) -> list[AdapterSummary]:
        return [
            AdapterSummary(
                version=adapter.version,
                base=adapter.base,
                parent=adapter.parent,
                status=adapter.status,
                created_at=adapter.created_at,
                dream=adapter.dream,
                scores=adapter.scores,
                facts=len(adapter.facts),
                tainted=len(adapter.tainted),
                on_disk=bool(adapter.files),
            )
            for adapter in self.adapters(namespace)
        ]

    def holdings(self, namespace: Namespace, facts: Sequence[str]) -> list[Holding]:
        found = []
        for adapter in self.adapters(namespace):
            audits = self.audits(namespace, adapter.version)
            for fact in adapter.facts:
                if fact in facts:
                    own = [audit for audit in audits if audit.fact == fact]
                    asked, right = sum(audit.asked for audit in own), sum(audit.right for audit in own)
                    tainted = fact in adapter.tainted
                    place = (adapter.version, adapter.status, bool(adapter.files), fact, tainted)
                    found.append(Holding(*place, asked, right))
        return found

    def activate(self, namespace: Namespace, version: str | None, at: datetime, *, learned: Sequence[str] = ()) -> None:
        facts = {fact.id for fact in self._memories.values() if isinstance(fact, Fact) and fact.namespace == namespace}
        if not facts.union(item.id for item in self.items(namespace)).issuperset(learned):
            raise ErasedMeanwhile(ERASED_MEANWHILE)
        if version is not None and (namespace, version) not in self._adapters:
            raise UnknownAdapter(f"no adapter {version!r} here: hybridmem adapters list shows them")
        before = self._alias(namespace)
        if version == before:
            return
        if before is not None:
            self._adapters[namespace, before] = replace(self._adapters[namespace, before], status="retired")
        if version is not None:
            self._adapters[namespace, version] = replace(self._adapters[namespace, version], status="active")
        self._activations.setdefault(namespace, []).append((parse_time(at), version))

    def active(self, namespace: Namespace) -> AdapterRecord | None:
        version = self._alias(namespace)
        return None if version is None else self._adapters[namespace, version]

    def active_weights(self, namespace: Namespace, moments: Sequence[datetime]) -> ActiveWeights:
        adapter = self.active(namespace)
        found = [self._memories.get(fact) for fact in adapter.facts] if adapter else []
        lapsed = {
            fact.id
            for fact in found
            if isinstance(fact, Fact) and fact.namespace == namespace
            if not all(holds(fact, parse_time(at)) for at in moments)
        }
        audits = self.audits(namespace, adapter.version) if adapter else []
        dreams = self.dreams(namespace)
        return ActiveWeights(adapter, pooled(audits), dreams[-1].started_at if dreams else None).without(lapsed)

    def activations(self, namespace: Namespace) -> list[tuple[datetime, str | None]]:
        return list(self._activations.get(namespace, ()))

    def save_audits(self, namespace: Namespace, audits: Sequence[Audit]) -> None:
        for audit in audits:
            self._audits[namespace, audit.adapter, audit.fact, audit.split] = (namespace, audit)

    def audits(self, namespace: Namespace, adapter: str) -> list[Audit]:
        found = [audit for home, audit in self._audits.values() if home == namespace and audit.adapter == adapter]
        return sorted(found, key=lambda audit: (audit.fact, audit.split))

    def save_dream(self, report: DreamReport) -> None:
        self._dreams[report.namespace, report.id] = report

    def dreams(self, namespace: Namespace) -> list[DreamReport]:
        return [report for report in self._dreams.values() if report.namespace == namespace]

    def _alias(self, namespace: Namespace) -> str | None:
        moves = self._activations.get(namespace)
        return moves[-1][1] if moves else None

    def _sound(self, namespace: Namespace, id: str) -> bool:
        fact = self._memories.get(id)
        return isinstance(fact, Fact) and fact.namespace == namespace and trustworthy(fact)

    def _taint(self, namespace: Namespace, facts: Sequence[str]) -> list[str]:
        """Taint `facts` in every adapter that holds one; returns the adapters' versions."""
        versions = []
        for adapter in self.adapters(namespace):
            if set(facts) & set(adapter.facts):
                tainted = tuple(fact for fact in adapter.facts if fact in adapter.tainted or fact in facts)
                self._adapters[namespace, adapter.version] = replace(adapter, tainted=tainted)
                versions.append(adapter.version)
        return versions

    def _drop_items(self, namespace: Namespace, facts: Sequence[str]) -> int:
        return self._drop(self._items, lambda item: item.namespace == namespace and item.fact in facts)

    @staticmethod
    def _drop(rows: dict[K, V], unwanted: Callable[[V], bool]) -> int:
        doomed = [key for key, value in rows.items() if unwanted(value)]
        for key in doomed:
            del rows[key]
        return len(doomed)
