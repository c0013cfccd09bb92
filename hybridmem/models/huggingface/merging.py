"""An adapter that becomes part of its base: what is trained on top of it sees one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hybridmem.core.errors import CorruptAdapter
from hybridmem.models.huggingface import checkpoint
from hybridmem.models.huggingface.adapter_files import read_adapter
from hybridmem.models.huggingface.adapter_slots import without_warning


def merged(module: Any, adapter: Path) -> Any:
    """`module`, in float32, with the update of the LoRA weights in the folder `adapter` added to its own, in float32.

    Raises `CorruptAdapter`, or `WrongBase` for an adapter whose layers are not those of `module`."""
    from peft import PeftModel, set_peft_model_state_dict

    config, tensors = read_adapter(adapter, module)
    with without_warning("`is_gradient_checkpointing` is deprecated"):
        wrapped = PeftModel(module, config)
    loaded = set_peft_model_state_dict(wrapped, {name: tensor.float() for name, tensor in tensors.items()})
    if loaded.unexpected_keys or any(".lora_" in name for name in loaded.missing_keys):
        raise CorruptAdapter(f"the adapter in {str(adapter)!r} covers other layers than its configuration names")
    return wrapped.merge_and_unload()


def merged_base(folder: Path, adapter: Path) -> tuple[Any, torch.dtype]:
    """(the model in `folder`, read once more, as `merged` with `adapter`; the precision of its files).

    Raises what `checkpoint.read` and `merged` raise."""
    from transformers import AutoConfig

    found = checkpoint.checked(folder)
    module, _ = checkpoint.read(found, device=torch.device("cpu"), dtype=torch.float32)
    kept = AutoConfig.from_pretrained(str(folder), local_files_only=True).dtype
    return merged(module, adapter), kept if isinstance(kept, torch.dtype) else torch.float32
