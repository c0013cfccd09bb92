"""Stores to test: ours, and LangGraph's own beside it where both promise the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from hybridmem import HybridMemory
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.integrations.langgraph import HybridStore
from hybridmem.models.fake import FakeModel

MakeStore = Callable[..., BaseStore]
"""Makes an empty store; `fields` names those that are searched, and False none."""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[HybridMemory]:
    with HybridMemory.open(
        tmp_path / "memory",
        namespace="users/ana",
        model=FakeModel(),
        embedder="hashing",
        vectors="memory",
        clock=clock,
    ) as opened:
        yield opened


@pytest.fixture
def store(memory: HybridMemory) -> HybridStore:
    return HybridStore(memory)


@pytest.fixture(params=["hybridmem", "langgraph"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    if request.param == "hybridmem":
        memory = request.getfixturevalue("memory")

        def ours(fields: list[str] | None = None) -> BaseStore:
            return HybridStore(memory, index={"fields": fields} if fields else None)

        return ours
    embedder = HashingEmbedder()

    def embed(texts: Any) -> list[list[float]]:
        return [[float(figure) for figure in row] for row in embedder.embed(texts)]

    def theirs(fields: list[str] | None = None) -> BaseStore:
        return InMemoryStore(index={"dims": embedder.dimension, "embed": embed, "fields": fields or ["$"]})

    return theirs
