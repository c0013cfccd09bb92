"""Embedding models of the Hugging Face hub by name: from its cache, or fetched once."""

from __future__ import annotations

from pathlib import Path

from hybridmem.core.errors import MissingExtra, ModelNotFound
from hybridmem.embedding.sentencetransformers import SentenceTransformersEmbedder

_OWNERS = {"paraphrase-multilingual-MiniLM-L12-v2": "sentence-transformers"}
"""Of models that are known by their name alone: fifty languages in one space of 384 dimensions (2004.09813)."""
_FILES = ["*.safetensors", "*.json", "*.model", "*.txt"]
_NOT_FILES = ["onnx/*", "openvino/*"]


def hub_embedder(name: str) -> SentenceTransformersEmbedder:
    """The sentence-transformers model called `name`: a known one, or OWNER/NAME. Only safetensors are read.

    Raises `ModelNotFound` where it is neither in the hub's cache nor to be fetched, and `ModelIncomplete`."""
    owner = _OWNERS.get(name)
    full = f"{owner}/{name}" if owner else name
    return SentenceTransformersEmbedder(_folder(full), label=full)


def _folder(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]
    except ModuleNotFoundError as error:
        raise MissingExtra("huggingface-hub is not installed: pip install sentence-transformers") from error

    def snapshot(*, local: bool) -> Path:
        return Path(snapshot_download(name, allow_patterns=_FILES, ignore_patterns=_NOT_FILES, local_files_only=local))

    try:
        return snapshot(local=True)
    except LocalEntryNotFoundError:
        pass
    except HFValidationError:
        raise ModelNotFound(f"{name!r} is no name of the hub: write it as OWNER/NAME") from None
    try:
        return snapshot(local=False)
    except (LocalEntryNotFoundError, ConnectionError, HTTPError) as error:
        raise ModelNotFound(
            f"the embedding model {name!r} is not in the hub's cache and cannot be fetched ({type(error).__name__}): "
            f"check its name and the network, or copy it here and name sentence-transformers:FOLDER"
        ) from None
