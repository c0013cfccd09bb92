"""The plainest indexes keep the rules that the others are measured by."""

from __future__ import annotations

import pytest

from hybridmem.stores.index.inmemory import InMemoryGraphIndex, InMemoryLexicalIndex, InMemoryVectorIndex
from hybridmem.testing.index_conformance import (
    GraphIndexConformance,
    LexicalIndexConformance,
    VectorIndexConformance,
)


class TestInMemoryVectorIndex(VectorIndexConformance):
    @pytest.fixture
    def index(self):
        return InMemoryVectorIndex()


class TestInMemoryLexicalIndex(LexicalIndexConformance):
    stems = False

    @pytest.fixture
    def index(self):
        return InMemoryLexicalIndex()


class TestInMemoryGraphIndex(GraphIndexConformance):
    @pytest.fixture
    def index(self):
        return InMemoryGraphIndex()
