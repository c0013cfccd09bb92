"""One memory for all tests of the folder, and a namespace of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel

NUMBER = itertools.count()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridMemory]:
    path = tmp_path_factory.mktemp("memory-tool") / "m"
    with HybridMemory.open(path, model=FakeModel(), embedder="hashing") as memory:
        yield memory


@pytest.fixture
def memory(folder: HybridMemory) -> HybridMemory:
    return folder.at(("tests", str(next(NUMBER))))
