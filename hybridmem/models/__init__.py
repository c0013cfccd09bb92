"""Language models, found by name. Loading this package loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hybridmem.models.base import LanguageModel
from hybridmem.models.spec import ModelSettings, parse

BUNDLED = "bundled"
FAKE = "fake"


def load(name: str | Path | None = None, settings: ModelSettings | None = None) -> LanguageModel:
    """The model of this name: None or ``bundled``, ``fake``, a folder, or a name on the Hugging Face hub.

    Options may stand behind the name: ``Qwen/Qwen3-0.6B,quantize=4bit`` (see `spec`). Raises `InvalidInput`,
    `ModelNotFound`, `ModelIncomplete`, `ModelTooLarge` or `MissingExtra`.
    """
    bare, chosen = parse(BUNDLED if name is None else name, settings)
    if bare == FAKE:
        from hybridmem.models.fake import FakeModel

        return FakeModel()
    from hybridmem.models.huggingface.model import HuggingFaceModel

    options: dict[str, Any] = {
        "device": chosen.device,
        "dtype": chosen.dtype,
        "quantize": chosen.quantize,
        "memory_gb": chosen.memory,
    }
    if bare == BUNDLED:
        from hybridmem.models import bundled

        return HuggingFaceModel.load(bundled.folder(), alias=BUNDLED, **options)
    return HuggingFaceModel.load(bare, **options)
