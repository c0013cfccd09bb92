from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.mcp.application import MemoryServer, application


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing") as opened:
        yield opened


@pytest.fixture
def server(memory: HybridMemory) -> MemoryServer:
    return application(memory)
