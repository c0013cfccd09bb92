"""LangChain's retriever on a memory's search."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from hybridmem.core.records import Hit, Kind
from hybridmem.memory import HybridMemory


class HybridRetriever(BaseRetriever):
    """The memories nearest to a query, best first: `HybridMemory.search` for LangChain.

    A document's metadata is the memory's own, with ``id``, ``kind``, ``score``, ``why``, ``at`` and ``session`` of the
    hit. ``invoke(query, k=3)`` overrides the number, or any other option of `search`, for one call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    memory: HybridMemory
    k: int = Field(default=5, ge=1)
    """Number of documents."""
    kinds: tuple[Kind, ...] | None = None
    session: str | None = None
    as_of: str | None = None
    token_budget: int | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return [document_of(hit) for hit in self.memory.search(query, **self._options(options))]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return [document_of(hit) for hit in await self.memory.asearch(query, **self._options(options))]

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        own = {"as_of": self.as_of, "kinds": self.kinds, "session": self.session, "token_budget": self.token_budget}
        limit = given.pop("k", self.k)
        return {**own, "limit": limit, **given}


def document_of(hit: Hit) -> Document:
    """A hit as LangChain's `Document`."""
    search_fields = {
        "id": hit.id,
        "kind": hit.kind,
        "score": hit.score,
        "why": dict(hit.why),
        "at": hit.at.isoformat() if hit.at else None,
        "session": hit.session,
    }
    return Document(id=hit.id, page_content=hit.text, metadata={**hit.metadata, **search_fields})
