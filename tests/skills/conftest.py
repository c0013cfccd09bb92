from __future__ import annotations

from collections.abc import Callable, Iterator
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


def opened(folder: Path, clock: Callable[[], datetime]) -> HybridMemory:
    """A memory of Ana's that is kept in no file."""
    return HybridMemory.open(
        folder,
        namespace=("users", "ana"),
        embedder="hashing",
        ledger="memory",
        vectors="memory",
        lexical="memory",
        graph="memory",
        clock=clock,
    )


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[HybridMemory]:
    with opened(tmp_path / "m", clock) as memory:
        yield memory
