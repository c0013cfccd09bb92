"""The part of a ledger that dreams write: training items, adapters and what they hold, audits, activations, reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Audit, DreamReport, TrainingItem

ERASED_MEANWHILE = "a memory was deleted while it was being learned: run `hybridmem dream` to learn the others"
"""What an `ErasedMeanwhile` says."""


@dataclass(frozen=True, slots=True)
class AdapterSummary:
    """An adapter without the list of what it holds: enough for a list of many."""

    version: str
    base: str
    parent: str | None
    status: Literal["candidate", "active", "retired", "rejected"]
    created_at: datetime
    dream: str
    scores: Mapping[str, float]
    facts: int
    tainted: int
    on_disk: bool
    """Whether its weights are kept."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One fact in one adapter, and how well it was recalled there over all splits."""

    version: str
    status: Literal["candidate", "active", "retired", "rejected"]
    """The adapter's."""
    on_disk: bool
    """Whether the adapter's weights are kept."""
    fact: str
    tainted: bool
    asked: int = 0
    right: int = 0


@dataclass(frozen=True, slots=True)
class ActiveWeights:
    """What an answer depends on beside its memories, read at one moment."""

    adapter: AdapterRecord | None = None
    """The active one. Tainted are also those of its facts that do not hold in the world at a moment that was asked for:
    their end came, or another value's day, or their own day is still to come."""
    audits: Mapping[str, Audit] = field(default_factory=dict)
    """How well it recalled each of its facts, over all splits."""
    last_dream: datetime | None = None
    """When the last dream began."""

    def without(self, lapsed: Collection[str]) -> ActiveWeights:
        """The same with the `lapsed` ones of the adapter's facts tainted."""
        if self.adapter is None or not lapsed:
            return self
        gone = {*self.adapter.tainted, *lapsed}
        tainted = tuple(fact for fact in self.adapter.facts if fact in gone)
        return replace(self, adapter=replace(self.adapter, tainted=tainted))


def pooled(audits: Iterable[Audit]) -> dict[str, Audit]:
    """One audit for each fact: its splits together."""
    by_fact: dict[str, Audit] = {}
    for audit in audits:
        before = by_fact.get(audit.fact)
        by_fact[audit.fact] = (
            replace(audit, asked=audit.asked + before.asked, right=audit.right + before.right) if before else audit
        )
    return by_fact


class Lineage(Protocol):
    """From facts to the adapters that hold them, and what each dream did."""

    def save_items(self, items: Sequence[TrainingItem]) -> None:
        """Insert, or replace the items of the same ids. A fact that is not there raises `UnknownMemory`."""
        ...

    def items(self, namespace: Namespace, facts: Sequence[str] | None = None) -> list[TrainingItem]: ...

    def drop_items(self, namespace: Namespace, facts: Sequence[str]) -> None: ...

    def save_adapter(self, adapter: AdapterRecord) -> None:
        """Insert, or replace the record of the same version. Facts that are not current by now are tainted, and a
        taint stays. The status is `active` for the version that the alias names, and for no other."""
        ...

    def adapters(self, namespace: Namespace) -> list[AdapterRecord]:
        """Oldest first."""
        ...

    def adapter(self, namespace: Namespace, version: str) -> AdapterRecord | None: ...

    def adapter_summaries(self, namespace: Namespace) -> list[AdapterSummary]:
        """Oldest first."""
        ...

    def holdings(self, namespace: Namespace, facts: Sequence[str]) -> list[Holding]:
        """Every place that one of `facts` has in an adapter: the oldest adapter first, and its facts in its order."""
        ...

    def activate(self, namespace: Namespace, version: str | None, at: datetime, *, learned: Sequence[str] = ()) -> None:
        """Move the alias `active` (None: to no adapter): the new one becomes active and the one before retired,
        in one transaction. Raises `UnknownAdapter`, and `ErasedMeanwhile` where one of `learned`, the ids of the facts
        and training items that the version was trained on, is not there any more."""
        ...

    def active(self, namespace: Namespace) -> AdapterRecord | None: ...

    def active_weights(self, namespace: Namespace, moments: Sequence[datetime]) -> ActiveWeights:
        """The active adapter, for questions that it may answer with what holds at each of `moments`."""
        ...

    def activations(self, namespace: Namespace) -> list[tuple[datetime, str | None]]:
        """Every move of the alias, oldest first."""
        ...

    def save_audits(self, namespace: Namespace, audits: Sequence[Audit]) -> None:
        """Insert, or replace the audits of the same adapter, fact and split."""
        ...

    def audits(self, namespace: Namespace, adapter: str) -> list[Audit]: ...

    def save_dream(self, report: DreamReport) -> None:
        """Insert, or replace the report of the same id."""
        ...

    def dreams(self, namespace: Namespace) -> list[DreamReport]:
        """Oldest first."""
        ...
