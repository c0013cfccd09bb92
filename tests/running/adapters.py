"""Adapters of tiny random models."""

from __future__ import annotations

from pathlib import Path

import torch

from hybridmem import HybridMemory
from hybridmem.core.clock import utc_now
from hybridmem.core.records import AdapterRecord
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel


def promoted(memory: HybridMemory, model: HuggingFaceModel, folder: Path) -> None:
    """A random adapter becomes the active one of `memory`."""
    with model.new_adapter(lora_config(model.module, 2, 4), seed=1) as new:
        for number, parameter in enumerate(new.parameters()):
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(number))
        new.save(folder)
    record = AdapterRecord("", memory.namespace, model.name, model.sha256, None, "candidate", utc_now(), "d1")
    memory.adapters.promote(memory.adapters.register(folder, record).version)
