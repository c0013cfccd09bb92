"""Language models, found by name. Loading this package loads no torch."""

from __future__ import annotations

from pathlib import Path

from hybridmem.models.base import LanguageModel

BUNDLED = "bundled"
FAKE = "fake"


def load(name: str | Path | None = None) -> LanguageModel:
    """The model of this name: None or ``bundled``, ``fake``, a folder, or a name on the Hugging Face hub.

    Raises `ModelNotFound` or `ModelIncomplete`.
    """
    if name == FAKE:
        from hybridmem.models.fake import FakeModel

        return FakeModel()
    from hybridmem.models.huggingface import HuggingFaceModel

    if name is None or name == BUNDLED:
        from hybridmem.models import bundled

        return HuggingFaceModel.load(bundled.folder(), alias=BUNDLED)
    return HuggingFaceModel.load(name)
