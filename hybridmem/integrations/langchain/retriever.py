"""LangChain's retriever on a memory's search."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from hybridmem.core.records import Hit, Kind
from hybridmem.memory import HybridMemory

_OPTIONS = (
    *("kinds", "filters", "min_score", "since", "until", "session", "role", "trust"),
    *("as_of", "token_budget", "half_life_days"),
)
"""What it hands on to `HybridMemory.search`."""


class HybridRetriever(BaseRetriever):
    """The memories nearest to a query, best first: `HybridMemory.search` for LangChain.

    A document's metadata is the memory's own, with ``id``, ``kind``, ``score``, ``relevance``, ``why``, ``at`` and
    ``session`` of the hit. ``invoke(query, k=3)`` overrides the number, or any other option of `search`, for one call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    memory: HybridMemory
    k: int = Field(default=5, ge=1)
    """Number of documents."""
    kinds: tuple[Kind, ...] | None = None
    filters: dict[str, Any] | None = None
    """What the memories' fields must satisfy, as in ``{"tags": "travel", "metadata.stars": {"gte": 3}}``."""
    min_score: float | None = Field(default=None, ge=0, le=1)
    """The least relevance of a document; with it, nothing is returned where nothing bears on the query."""
    since: str | None = None
    until: str | None = None
    session: str | None = None
    role: str | list[str] | None = None
    trust: str | list[str] | None = None
    as_of: str | None = None
    token_budget: int | None = None
    half_life_days: float | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return [document_of(hit) for hit in self.memory.search(query, **self._options(options))]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return [document_of(hit) for hit in await self.memory.asearch(query, **self._options(options))]

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in _OPTIONS}
        limit = given.pop("k", self.k)
        return {**own, "limit": limit, **given}


def document_of(hit: Hit) -> Document:
    """A hit as LangChain's `Document`."""
    search_fields = {
        "id": hit.id,
        "kind": hit.kind,
        "score": hit.score,
        "relevance": hit.relevance,
        "why": dict(hit.why),
        "at": hit.at.isoformat() if hit.at else None,
        "session": hit.session,
    }
    return Document(id=hit.id, page_content=hit.text, metadata={**hit.metadata, **search_fields})
