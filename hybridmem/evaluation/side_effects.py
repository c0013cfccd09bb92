"""What an adapter changes beside the memories that it learned: its distance from the base on general text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem import metrics
from hybridmem.dreaming import general
from hybridmem.dreaming.recipes import EvalSettings
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel


def mean_kl(model: LanguageModel, adapter: Path | None) -> float | None:
    """Mean over tokens of KL(base || adapted) in nats; 0 without an adapter, None for a model without weights.

    Unlike drift, it cannot cancel out: text that became more likely and text that became less likely both count."""
    from hybridmem.models.huggingface.model import HuggingFaceModel

    if not isinstance(model, HuggingFaceModel):
        return None
    if adapter is None:
        return 0.0
    rows = general.drift_rows(model, "test", EvalSettings())
    return metrics.mean(metrics.mean_kl(_logprobs(model, row, None), _logprobs(model, row, adapter)) for row in rows)


def _logprobs(model: HuggingFaceModel, row: tuple[int, ...], adapter: Path | None) -> Any:
    """Float array (tokens - 1, vocabulary): what the model predicts at each token of `row` but the first."""
    import torch

    from hybridmem.models.huggingface.tensors import collate, logprobs_at

    ids, mask, where = collate([((), row)], model.end_id, model.device)
    with model.adapted(adapter), torch.no_grad():
        return logprobs_at(model.module, ids, mask, where).cpu().numpy()
