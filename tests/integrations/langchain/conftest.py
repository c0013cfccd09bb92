"""A memory to stand behind LangChain's interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(
        tmp_path / "memory", namespace="users/ana", model=FakeModel(), embedder="hashing", vectors="memory"
    ) as opened:
        yield opened
