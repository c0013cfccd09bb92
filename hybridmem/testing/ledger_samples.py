"""Small records for the ledger's tests: the values that a test does not speak about are filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import (
    AdapterRecord,
    Audit,
    Check,
    DreamReport,
    Episode,
    Fact,
    ReaderUsage,
    Step,
    TrainingItem,
)
from hybridmem.stores.ledger.base import Ledger

ANA: Namespace = ("users", "ana")
BEN: Namespace = ("users", "ben")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def day(number: float) -> datetime:
    """`number` days after the first of 2026."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def episode(id: str, text: str | None = None, **values: Any) -> Episode:
    given: dict[str, Any] = {
        "id": id,
        "namespace": ANA,
        "text": text or f"words of {id}",
        "at": NOW,
        "recorded_at": NOW,
    }
    return Episode(**given | values)


def fact(id: str, object: str = "Lisbon", starts: float = 0, sources: tuple[str, ...] = (), **values: Any) -> Fact:
    given: dict[str, Any] = {
        "id": id,
        "namespace": ANA,
        "subject": "Ana",
        "relation": "lives in",
        "object": object,
        "text": f"Ana lives in {object}.",
        "valid_from": day(starts),
        "recorded_at": NOW,
        "sources": sources,
    }
    return Fact(**given | values)


def item(id: str, fact: str, **values: Any) -> TrainingItem:
    given: dict[str, Any] = {
        "id": id,
        "namespace": ANA,
        "fact": fact,
        "kind": "question",
        "question": "Where does Ana live?",
        "answer": "Lisbon",
        "context": ("Ana lives in Lisbon.",),
        "split": "train",
    }
    return TrainingItem(**given | values)


def adapter(version: str, facts: tuple[str, ...] = (), **values: Any) -> AdapterRecord:
    given: dict[str, Any] = {
        "version": version,
        "namespace": ANA,
        "base": "bundled",
        "base_sha256": "0" * 64,
        "parent": None,
        "status": "candidate",
        "created_at": NOW,
        "dream": "d1",
        "facts": facts,
        "scores": {"recall": 0.95},
        "files": {"adapter_model.safetensors": "1" * 64},
    }
    return AdapterRecord(**given | values)


def audit(adapter: str, fact: str, right: int = 3) -> Audit:
    return Audit(adapter, fact, "dev", asked=4, right=right)


def report(id: str, **values: Any) -> DreamReport:
    given: dict[str, Any] = {
        "id": id,
        "namespace": ANA,
        "status": "promoted",
        "night": 1,
        "started_at": NOW,
        "seconds": 12.5,
        "left_to_retrieval": ("f2",),
        "unlearned": ("f3",),
        "steps": (Step("extract", 1.5, 100, {"facts": 3}, ReaderUsage(2, 80, 20, 1, 0, 0.25)), Step("select", 0.1)),
        "reader": ReaderUsage(2, 80, 20, 1, 0, 0.25),
        "gate": (Check("recall", 0.95, 0.8, True),),
        "test": {"recall": 0.9},
        "retention": (0.9, 1.0),
    }
    return DreamReport(**given | values)


def events(ledger: Ledger, id: str) -> list[tuple[str, str | None, str | None]]:
    return [(event.event, event.text, event.by) for event in ledger.history(ANA, id)]


def fact_of(ledger: Ledger, id: str) -> Fact:
    found = ledger.get(ANA, id)
    assert isinstance(found, Fact)
    return found


def episode_of(ledger: Ledger, id: str) -> Episode:
    found = ledger.get(ANA, id)
    assert isinstance(found, Episode)
    return found
