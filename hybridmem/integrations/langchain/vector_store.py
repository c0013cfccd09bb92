"""LangChain's vector store over a namespace of a memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from numpy.typing import NDArray

from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.nodes import EVERYTHING
from hybridmem.core.filters.parse import parse
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Trust, checked_text, new_id
from hybridmem.core.roles import LEAST_TRUSTED
from hybridmem.integrations.dollar_filters import translated
from hybridmem.integrations.langchain.embeddings import HybridEmbeddings, LangChainEmbedder
from hybridmem.maintenance.erasure import erase_many
from hybridmem.memory import HybridMemory
from hybridmem.retrieval import nearest as neighbours
from hybridmem.retrieval.visibility import Visibility

FIELD = "langchain_id"
"""The entry of an episode's metadata with the caller's id."""
SOURCE = "langchain-document"

Filter = Mapping[str, Any] | Callable[[Document], bool]
"""What a document's metadata must satisfy (values, or operators as in ``{"stars": {"$gte": 3}}``), or a function that
admits documents."""


class HybridVectorStore(VectorStore):
    """The memories of `memory`'s namespace, ranked by the cosine of their vectors: 1 is the same, higher is better.

    Documents keep the caller's ids and metadata; adding an id again replaces its document. Memories stored in other
    ways are found too, under their own ids; superseded and quarantined ones are not.

    `trust`: who vouches for the documents. They are what somebody wrote, and no dream reads them, unless it says more.
    """

    def __init__(self, memory: HybridMemory, *, trust: Trust = LEAST_TRUSTED) -> None:
        self.memory = memory
        self._trust = trust

    @property
    def embeddings(self) -> Embeddings:
        return HybridEmbeddings(self.memory.indexes.embedder)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        memory: HybridMemory | None = None,
        path: str | Path | None = None,
        namespace: Sequence[str] | str = ("default",),
        **options: Any,
    ) -> HybridVectorStore:
        """A store with `texts` in it: over `memory` with its own embedding model, or over the folder `path` with the
        model `embedding`. Raises `InvalidInput`."""
        if memory is None:
            if path is None:
                raise InvalidInput("say where the texts are to be kept: pass path=FOLDER, or memory=")
            embedder = embedding.embedder if isinstance(embedding, HybridEmbeddings) else None
            if embedder is None and embedding is not None:
                embedder = LangChainEmbedder(embedding)
            memory = HybridMemory.open(path, namespace=namespace, embedder=embedder)
        elif embedding is not None and _name(embedding) != memory.indexes.embedder.name:
            raise InvalidInput(
                f"the memory embeds with {memory.indexes.embedder.name} and not with {_name(embedding)}: pass "
                f"embedding=None, or open the memory with that model"
            )
        store = cls(memory, **options)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    # ---- writing

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Store `texts` under `ids`, or under new ids, and return the ids. A text replaces the one that had its id.

        The texts are on disk on return, and embedded with the next search. Raises `InvalidInput`."""
        every = list(texts)
        for name, given in (("metadatas", metadatas), ("ids", ids)):
            if given is not None and len(given) != len(every):
                raise InvalidInput(f"{len(every)} texts came with {len(given)} {name}: pass one for each text")
        named = [id or new_id("text") for id in ids or [None] * len(every)]
        episode_ids = [_episode_id(self.memory.namespace, id) for id in named]
        before = self.memory.ledger.get_many(self.memory.namespace, episode_ids)
        now = self.memory.clock()
        self.memory.ledger.put_episodes(
            [
                Episode(
                    id=episode_id,
                    namespace=self.memory.namespace,
                    text=checked_text(text),
                    at=now,
                    recorded_at=now,
                    source=SOURCE,
                    trust=self._trust,
                    # Adding a document again does not release it from quarantine.
                    quarantined=episode_id in before
                    and before[episode_id].quarantined
                    and before[episode_id].text == text,
                    metadata={**metadata, FIELD: id},
                )
                for text, metadata, id, episode_id in zip(
                    every, metadatas or [{}] * len(every), named, episode_ids, strict=True
                )
            ],
            now,
        )
        return named

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Erase `ids` as `HybridMemory.delete` does; unknown ids are no error. Without `ids`, erase every document that
        was added here, and no other memory."""
        if ids is None:
            episodes = self.memory.ledger.episodes(self.memory.namespace)
            chosen = [episode.id for episode in episodes if episode.source == SOURCE]
        else:
            chosen = [episode_id for id in ids for episode_id in (_episode_id(self.memory.namespace, id), id)]
        erase_many(self.memory.workspace, chosen)
        return True

    # ---- reading

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with `ids`, in their order; unknown ids are left out."""
        namespace = self.memory.namespace
        episode_ids = {id: _episode_id(namespace, id) for id in ids}
        found = self.memory.ledger.get_many(
            namespace, [episode_id for id in ids for episode_id in (episode_ids[id], id)]
        )
        chosen = (found.get(episode_ids[id]) or found.get(id) for id in ids)
        return [_document(memory) for memory in chosen if memory is not None]

    def similarity_search(
        self, query: str, k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        return [document for document, _ in self.similarity_search_with_score(query, k, filter=filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` nearest with their cosine, best first."""
        vector = self.memory.indexes.embedder.embed([checked_text(query)])[0]
        return self._nearest(vector, k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """The `k` nearest to a vector of the memory's own embedding model. Raises `InvalidInput`."""
        return [document for document, _ in self._nearest(self._unit(embedding), k, filter)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """`k` of the `fetch_k` nearest, chosen to differ among themselves as well."""
        vector = self.memory.indexes.embedder.embed([checked_text(query)])[0]
        return self._diverse(vector, k, fetch_k, lambda_mult, filter)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        return self._diverse(self._unit(embedding), k, fetch_k, lambda_mult, filter)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: min(max(cosine, 0.0), 1.0)

    def _unit(self, embedding: Sequence[float]) -> NDArray[np.float32]:
        vector = np.asarray(embedding, dtype=np.float32)
        dimension = self.memory.indexes.embedder.dimension
        if vector.shape != (dimension,) or not np.isfinite(vector).all() or not vector.any():
            raise InvalidInput(f"the vector has shape {vector.shape}: pass {dimension} figures, not all of them 0")
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def _nearest(self, vector: NDArray[Any], k: int, filter: Filter | None) -> list[tuple[Document, float]]:
        if k < 1:
            return []
        memory, indexes = self.memory, self.memory.indexes
        admitted = None if filter is None or isinstance(filter, Mapping) else filter
        wanted = parse(translated(filter, "metadata")) if isinstance(filter, Mapping) else EVERYTHING
        shown = Visibility(memory.clock(), filter=wanted)
        memory.ledger.expire_due(memory.namespace, memory.clock())
        memory.catch_up()
        indexes.require_same_embedder()

        def search(pool: int) -> dict[str, float]:
            return neighbours.nearest(memory.ledger, indexes.vectors, indexes.embedder, memory.namespace, vector, pool)

        def admit(scores: dict[str, float]) -> list[tuple[Document, float]]:
            found = memory.ledger.get_many(memory.namespace, list(scores))
            visible = shown.visible(memory.ledger, memory.namespace, found)
            documents = [(_document(visible[id]), score) for id, score in scores.items() if id in visible]
            return [(document, score) for document, score in documents if admitted is None or admitted(document)]

        return neighbours.widening(search, admit, k)[:k]

    def _diverse(
        self, vector: NDArray[Any], k: int, fetch_k: int, lambda_mult: float, filter: Filter | None
    ) -> list[Document]:
        near = [document for document, _ in self._nearest(vector, fetch_k, filter)]
        if not near:
            return []
        vectors = self.memory.indexes.embedder.embed([document.page_content for document in near])
        chosen = maximal_marginal_relevance(vector, list(vectors), lambda_mult, k)
        return [near[place] for place in chosen]


def _episode_id(namespace: Namespace, id: str) -> str:
    return "document_" + hashlib.sha256(json.dumps([namespace, id]).encode()).hexdigest()[:40]


def _document(memory: Episode | Fact) -> Document:
    if isinstance(memory, Fact):
        return Document(id=memory.id, page_content=memory.text, metadata={"kind": "fact"})
    metadata = {name: value for name, value in memory.metadata.items() if name != FIELD}
    return Document(id=str(memory.metadata.get(FIELD, memory.id)), page_content=memory.text, metadata=metadata)


def _name(embedding: Embeddings) -> str:
    embedder = embedding.embedder if isinstance(embedding, HybridEmbeddings) else LangChainEmbedder(embedding)
    return embedder.name
