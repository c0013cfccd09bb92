"""Any sentence-transformers model in a folder on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.errors import MissingExtra, ModelIncomplete, ModelNotFound

TOKENS = 256
"""What a model reads whose files do not say."""
BATCH = 32
"""Texts in one forward pass, of similar length; on one CPU core larger batches are slower."""


class SentenceTransformersEmbedder:
    """An `Embedder` that runs the model in `folder` on the CPU, in float32. It never looks for files elsewhere.

    The model loads at the first text. `label` names it in place of the folder's name. Raises `ModelNotFound`,
    `ModelIncomplete` or `MissingExtra`.
    """

    def __init__(self, folder: Path, *, label: str | None = None) -> None:
        if not folder.is_dir():
            raise ModelNotFound(f"there is no folder {folder}: name one that holds a sentence-transformers model")
        if not (folder / "config.json").is_file():
            raise ModelIncomplete(f"{folder} has no config.json: name the folder that save_pretrained wrote")
        self._folder = folder
        self._label = label
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def name(self) -> str:
        """The label or the folder's name, and eight digits that tell its configuration and the sizes of its weights."""
        digest = hashlib.sha256((self._folder / "config.json").read_bytes())
        for weights in sorted(self._folder.glob("*.safetensors")):
            digest.update(f"{weights.name} {weights.stat().st_size}\n".encode())
        return f"sentence-transformers:{self._label or self._folder.resolve().name}@{digest.hexdigest()[:8]}"

    @property
    def dimension(self) -> int:
        return int(self.embed(["How long is a vector?"]).shape[1])

    @property
    def max_tokens(self) -> int:
        """The longest text that it reads whole, in tokens."""
        settings = self._folder / "sentence_bert_config.json"
        written = json.loads(settings.read_text("utf-8")) if settings.is_file() else {}
        return int(written.get("max_seq_length") or TOKENS)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model().encode(
            list(texts),
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def load(self) -> None:
        """Load the model now, and not with the first text."""
        self._model()

    def _model(self) -> Any:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._folder)
            return self._loaded


def _load(folder: Path) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        raise MissingExtra("sentence-transformers is not installed: pip install sentence-transformers") from error
    shows_progress = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except (OSError, ValueError) as error:
        summary = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelIncomplete(f"the model in {folder} cannot be loaded ({summary}): copy it again") from error
    finally:
        if shows_progress:
            logging.enable_progress_bar()
