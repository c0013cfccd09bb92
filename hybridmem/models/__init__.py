"""Language models, found by name. Loading this package loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hybridmem.models.base import LanguageModel
from hybridmem.models.jobs import EVERY
from hybridmem.models.names import BUNDLED as BUNDLED
from hybridmem.models.names import FAKE as FAKE
from hybridmem.models.names import OWN as OWN
from hybridmem.models.names import SMOLLM2 as SMOLLM2
from hybridmem.models.names import SMOLLM2_INSTRUCT as SMOLLM2_INSTRUCT
from hybridmem.models.names import chosen, tell_of_fallback
from hybridmem.models.names import default_name as default_name
from hybridmem.models.spec import ModelSettings, parse


def load(name: str | Path | None = None, settings: ModelSettings | None = None) -> LanguageModel:
    """The model of this name: ``smollm2``, ``smollm2-instruct``, ``bundled``, ``fake``, a folder, a GGUF file or a hub
    name. None stands for HYBRIDMEM_MODEL, or else for `default_name`.

    Options may stand behind the name: ``Qwen/Qwen3-0.6B,quantize=4bit`` (see `spec`). Raises `InvalidInput`,
    `ModelNotFound`, `ModelIncomplete`, `ModelTooLarge`, `MissingExtra`, or `ModelError` where a copy of weights has to
    be made and the cache cannot be written.
    """
    tell_of_fallback(name)
    bare, options = parse(chosen(name), settings)
    if bare == FAKE:
        from hybridmem.models.fake import FakeModel

        return FakeModel()
    from hybridmem.models.huggingface.model import HuggingFaceModel

    given: dict[str, Any] = {
        "device": options.device,
        "dtype": options.dtype,
        "quantize": options.quantize,
        "memory_gb": options.memory,
        "answers": options.answers,
    }
    if bare == BUNDLED:
        from hybridmem.models import bundled

        return HuggingFaceModel.load(bundled.folder(), alias=BUNDLED, **given)
    if bare in (SMOLLM2, SMOLLM2_INSTRUCT):
        from hybridmem.models import smollm2
        from hybridmem.models.smollm2 import base

        model = HuggingFaceModel.load(base.located(bare, skilled=bare == SMOLLM2), alias=bare, **given)
        if bare == SMOLLM2 and smollm2.skills() is not None:
            model.jobs = EVERY
        return model
    return HuggingFaceModel.load(bare, **given)
