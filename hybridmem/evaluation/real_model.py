"""The model of a benchmark that trains weights, and so needs some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridmem.core.errors import ModelError

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel


def loaded(name: str | None) -> HuggingFaceModel:
    """The model that `models.load` finds under `name`, which raises; and `ModelError` for one without weights."""
    from hybridmem import models
    from hybridmem.models.huggingface.model import HuggingFaceModel

    model = models.load(name)
    if not isinstance(model, HuggingFaceModel):
        raise ModelError(f"the model {model.name!r} has no weights to train: pass bundled, smollm2 or a model's folder")
    return model
