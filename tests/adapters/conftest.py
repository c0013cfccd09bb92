from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.sql.ledger import SqlLedger

NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
ANA: Namespace = ("users", "ana")


@pytest.fixture(params=["inmemory", "sql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made: Ledger = InMemoryLedger() if request.param == "inmemory" else SqlLedger(tmp_path / "ledger.sqlite")
    yield made
    made.close()


@pytest.fixture
def registry(ledger: Any, tmp_path: Path) -> AdapterRegistry:
    return AdapterRegistry(ledger, tmp_path / "adapters", ANA, lambda: NOW)


def record(**values: Any) -> AdapterRecord:
    given: dict[str, Any] = {
        "version": "",
        "namespace": ANA,
        "base": "bundled",
        "base_sha256": "b" * 64,
        "parent": None,
        "status": "candidate",
        "created_at": NOW,
        "dream": "d1",
        "facts": ("f1", "f2"),
        "scores": {"new": 0.9, "old": 1.0},
    }
    return AdapterRecord(**{**given, **values})


def candidate(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(content * 100)
    return folder
