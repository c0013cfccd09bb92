from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridmem.memory import HybridMemory


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[HybridMemory]:
    with HybridMemory.open(
        tmp_path / "m",
        namespace=("users", "ana"),
        embedder="hashing",
        ledger="memory",
        vectors="memory",
        lexical="memory",
        graph="memory",
        clock=clock,
    ) as opened:
        yield opened
