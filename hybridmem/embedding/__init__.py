"""Text to vectors. `minilm` is the default; `hashing` needs no model and serves the tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import ModelNotFound

if TYPE_CHECKING:
    from hybridmem.embedding.base import Embedder

DEFAULT = "all-MiniLM-L6-v2"
_FOLDER_PREFIX = "sentence-transformers:"


def load(name: str = DEFAULT) -> Embedder:
    """The embedder called `name`: ``all-MiniLM-L6-v2``, ``hashing`` or ``sentence-transformers:FOLDER``.

    Fast: models load at the first text. Raises `ModelNotFound`, `ModelIncomplete` or `MissingExtra`.

    >>> load("hashing").dimension
    256
    """
    if name == DEFAULT:
        from hybridmem.embedding.minilm import MiniLmEmbedder

        return MiniLmEmbedder()
    if name == "hashing":
        from hybridmem.embedding.hashing import HashingEmbedder

        return HashingEmbedder()
    if name.startswith(_FOLDER_PREFIX):
        from hybridmem.embedding.sentencetransformers import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(Path(name.removeprefix(_FOLDER_PREFIX)))
    raise ModelNotFound(
        f"no embedding model is called {name!r}: use {DEFAULT}, hashing or sentence-transformers:FOLDER"
    )
