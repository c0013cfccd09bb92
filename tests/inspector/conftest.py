"""A small memory and its inspector, for looking and for changing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hybridmem.inspector.app import application
from hybridmem.memory import HybridMemory
from tests.inspector import worlds

TOKEN = "a-token"
BASE = "http://127.0.0.1:8765"

Visitor = Callable[..., TestClient]


def visitor(memory: HybridMemory, *, edit: bool = False, known: bool = True) -> TestClient:
    """A browser without scripts; `known`: it came with the token."""
    client = TestClient(application(memory, token=TOKEN, edit=edit), base_url=BASE)
    if known:
        assert client.get("/", params={"token": TOKEN}).status_code == 200
    return client


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridMemory]:
    """A memory that no test changes."""
    with worlds.small(tmp_path_factory.mktemp("seen") / "memory") as memory:
        yield memory


@pytest.fixture
def look(seen: HybridMemory) -> TestClient:
    """A visitor who only looks."""
    return visitor(seen)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[HybridMemory]:
    """A memory of the test's own."""
    with worlds.small(tmp_path / "memory") as memory:
        yield memory
