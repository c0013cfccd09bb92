"""Text to vectors. `minilm` is the default; `hashing` needs no model and serves the tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import ModelNotFound
from hybridmem.core.registry import Registry

if TYPE_CHECKING:
    from hybridmem.embedding.base import Embedder

DEFAULT = "all-MiniLM-L6-v2"
MULTILINGUAL = "paraphrase-multilingual-MiniLM-L12-v2"
"""For memories in other languages than English; it comes from the Hugging Face hub (Apache 2.0, 471 MB)."""
_HUB_PREFIX = "hub:"
_FOLDER_PREFIX = "sentence-transformers:"
EMBEDDERS: Registry[None, Embedder] = Registry("embedding model", ModelNotFound)


def load(name: str = DEFAULT) -> Embedder:
    """The embedder called `name`: ``all-MiniLM-L6-v2`` (English), ``paraphrase-multilingual-MiniLM-L12-v2`` (fifty
    languages), ``hub:OWNER/NAME``, ``sentence-transformers:FOLDER`` or ``hashing``.

    Fast: models load at the first text; one of the hub is fetched here where its cache has none. Raises
    `ModelNotFound`, `ModelIncomplete` or `MissingExtra`.

    >>> load("hashing").dimension
    256
    """
    return EMBEDDERS.make(name, None)


def _minilm(name: str, given: None) -> Embedder:
    from hybridmem.embedding.minilm import MiniLmEmbedder

    return MiniLmEmbedder()


def _hashing(name: str, given: None) -> Embedder:
    from hybridmem.embedding.hashing import HashingEmbedder

    return HashingEmbedder()


def _sentence_transformers(name: str, given: None) -> Embedder:
    from hybridmem.embedding.sentencetransformers import SentenceTransformersEmbedder

    return SentenceTransformersEmbedder(Path(name.removeprefix(_FOLDER_PREFIX)))


def _of_hub(name: str, given: None) -> Embedder:
    from hybridmem.embedding.hub import hub_embedder

    return hub_embedder(name.removeprefix(_HUB_PREFIX))


EMBEDDERS.register(DEFAULT, _minilm)
EMBEDDERS.register(MULTILINGUAL, _of_hub)
EMBEDDERS.register(f"{_HUB_PREFIX}OWNER/NAME", _of_hub)
EMBEDDERS.register("hashing", _hashing)
EMBEDDERS.register(f"{_FOLDER_PREFIX}FOLDER", _sentence_transformers)
