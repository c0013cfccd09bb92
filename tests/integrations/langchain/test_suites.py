"""LangChain's own suites for retrievers, vector stores, embeddings and tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests, ToolsUnitTests

from hybridmem import HybridMemory
from hybridmem.integrations.langchain import (
    HybridEmbeddings,
    HybridRetriever,
    HybridVectorStore,
    LangChainEmbedder,
    memory_tools,
)
from hybridmem.models.fake import FakeModel


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _remember(self, memory: HybridMemory) -> None:
        self.memory = memory
        for city in ("Porto", "Riga", "Oslo", "Lisbon"):
            memory.add(f"Ana lived in {city} once.")

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return HybridRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"memory": self.memory}

    @property
    def retriever_query_example(self) -> str:
        return "Where did Ana live?"


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, memory: HybridMemory) -> VectorStore:
        return HybridVectorStore(memory)


class TestVectorStoreWithTheSuitesOwnEmbeddings(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[VectorStore]:
        embedder = LangChainEmbedder(self.get_embeddings())
        with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder=embedder, vectors="memory") as memory:
            yield HybridVectorStore(memory)


class OurEmbeddings:
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return HybridEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": "hashing"}


class TestEmbeddingsUnit(OurEmbeddings, EmbeddingsUnitTests): ...


class TestEmbeddings(OurEmbeddings, EmbeddingsIntegrationTests): ...


class TestDefaultEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return HybridEmbeddings


class Remember:
    place = 0
    arguments: dict[str, Any] = {"text": "Ana lives in Porto."}  # noqa: RUF012 - the suite only reads it

    @pytest.fixture(autouse=True)
    def _tools(self, memory: HybridMemory) -> None:
        (episode,) = memory.add("Ana keeps ferrets.")
        self.tools, self.known = memory_tools(memory), episode.id

    @property
    def tool_constructor(self) -> BaseTool:
        return self.tools[self.place]

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return self.arguments


class Recall(Remember):
    place = 1
    arguments: dict[str, Any] = {"query": "ferrets", "limit": 2}  # noqa: RUF012


class Forget(Remember):
    place = 2

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"id": self.known}


class TestRememberUnit(Remember, ToolsUnitTests): ...


class TestRemember(Remember, ToolsIntegrationTests): ...


class TestRecallUnit(Recall, ToolsUnitTests): ...


class TestRecall(Recall, ToolsIntegrationTests): ...


class TestForgetUnit(Forget, ToolsUnitTests): ...


class TestForget(Forget, ToolsIntegrationTests): ...
