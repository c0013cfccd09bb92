"""A LoRA adapter's two files, in PEFT's format: read only when all in them is LoRA weights that fit the model."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hybridmem.core.errors import CorruptAdapter, WrongBase
from hybridmem.models.huggingface.lora import fan_in_fan_out, linear_layers, lora_config
from hybridmem.models.huggingface.low_rank import refitted

if TYPE_CHECKING:
    from peft import LoraConfig

    from hybridmem.models.trainable import LoraUpdate

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_KEY = re.compile(r"base_model\.model\.(?P<layer>.+)\.lora_(?P<side>[AB])\.weight")

FileState = tuple[str, int, int, int, int]
"""What tells a folder's adapter from the one that lay there before: its path, times and sizes."""


def file_state(folder: Path) -> FileState:
    try:
        config, weights = (folder / CONFIG).stat(), (folder / WEIGHTS).stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CorruptAdapter(f"the adapter in {str(folder)!r} lacks {Path(error.filename).name}") from None
    return str(folder.resolve()), config.st_mtime_ns, config.st_size, weights.st_mtime_ns, weights.st_size


def read_adapter(folder: Path, module: Any) -> tuple[LoraConfig, dict[str, Tensor]]:
    """The adapter's configuration and tensors, once they are LoRA weights and fit `module`.

    All is checked before PEFT touches the model: it would leave half-wrapped layers behind. Raises `CorruptAdapter` or
    `WrongBase`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file_state(folder)
    config = _configuration(folder)
    try:
        tensors = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise CorruptAdapter(f"{WEIGHTS} in {str(folder)!r} cannot be read ({error}): restore it") from None
    layers = linear_layers(module)
    named = set()
    for key, tensor in tensors.items():
        match = _KEY.fullmatch(key)
        if match is None or tensor.ndim != 2:
            raise CorruptAdapter(f"the adapter in {str(folder)!r} holds {key}, which is no LoRA weight")
        layer = layers.get(match["layer"])
        if layer is None:
            raise WrongBase(
                f"the adapter in {str(folder)!r} is for another base: this one has no layer {match['layer']}"
            )
        inputs, outputs = layer_sizes(layer)
        expected, found = (inputs, tensor.shape[1]) if match["side"] == "A" else (outputs, tensor.shape[0])
        if expected != found:
            raise WrongBase(
                f"the adapter in {str(folder)!r} is for a base whose {match['layer']} is {found} wide, "
                f"and this one's is {expected}: use the base that its card names"
            )
        named.add(match["layer"])
    if not named:
        raise CorruptAdapter(f"{WEIGHTS} in {str(folder)!r} is empty: restore it, or roll back")
    config.target_modules = sorted(named)
    # Of this base, whatever the file says: in 4 bits GPT-2's layers lie the other way round.
    config.fan_in_fan_out = fan_in_fan_out(layers[path] for path in named)
    return config, tensors


def read_update(folder: Path, module: Any) -> dict[str, LoraUpdate]:
    """What the adapter in `folder` adds, by path of the layer, on the device of `module`. Raises as `read_adapter`."""
    config, tensors = read_adapter(folder, module)
    return {
        path: (
            tensors[weight_key(path, "A")].float().to(module.device),
            tensors[weight_key(path, "B")].float().to(module.device) * _scaling(config, path),
        )
        for path in config.target_modules
    }


def write_adapter(folder: Path, config: LoraConfig, tensors: Mapping[str, Tensor], base: str) -> None:
    """Write a plain PEFT folder: ``adapter_config.json`` and ``adapter_model.safetensors``, the same bytes for the same
    weights. `base` is what the adapter says that its base is called."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    values = config.to_dict()
    values |= {
        "base_model_name_or_path": base,
        "inference_mode": True,
        "target_modules": sorted(values["target_modules"]),
    }
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in values.items()}
    (folder / CONFIG).write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", "utf-8")
    save_file(dict(sorted(tensors.items())), folder / WEIGHTS, metadata={"format": "pt"})


def write_update(folder: Path, update: Mapping[str, LoraUpdate], module: Any, base: str) -> None:
    """Write an adapter of `module` that adds `update`, each layer at the rank that it comes with."""
    layers = linear_layers(module)
    ranks = {path: len(a) for path, (a, _) in update.items()}
    config = dataclasses.replace(
        lora_config(module, 1, 1),
        target_modules=sorted(update),
        fan_in_fan_out=fan_in_fan_out(layers[path] for path in update),
        rank_pattern=ranks,
        alpha_pattern=dict(ranks),
    )
    tensors = {
        weight_key(path, side): matrix.detach().float().cpu().contiguous()
        for path, pair in update.items()
        for side, matrix in zip("AB", pair, strict=True)
    }
    write_adapter(folder, config, tensors, base)


def rescaled(config: LoraConfig, tensors: dict[str, Tensor], wanted: LoraConfig, refit: bool) -> dict[str, Tensor]:
    """The tensors of an adapter of `config` for one of `wanted`, whose update is the same."""
    changed = dict(tensors)
    for path in config.target_modules or ():
        a, b = weight_key(path, "A"), weight_key(path, "B")
        if a not in tensors or b not in tensors:
            continue
        ratio = _scaling(config, path) / _scaling(wanted, path)
        if ratio != 1.0:
            changed[b] = tensors[b] * ratio
        if refit and len(tensors[a]) != _rank(wanted, path):
            changed[a], changed[b] = refitted(tensors[a], changed[b], _rank(wanted, path))
    return changed


def weight_key(path: str, side: str) -> str:
    """The name in a file of a layer's matrix ``A`` or ``B``."""
    return f"base_model.model.{path}.lora_{side}.weight"


def _rank(config: LoraConfig, path: str) -> int:
    return int((config.rank_pattern or {}).get(path, config.r))


def _scaling(config: LoraConfig, path: str) -> float:
    """What the product of a layer's two matrices is multiplied by."""
    rank, alpha = _rank(config, path), (config.alpha_pattern or {}).get(path, config.lora_alpha)
    return float(alpha) / (math.sqrt(rank) if config.use_rslora else rank)


def _configuration(folder: Path) -> LoraConfig:
    """adapter_config.json without what could change the base: other initialisations do so as they load."""
    from peft import LoraConfig

    try:
        values = json.loads((folder / CONFIG).read_text("utf-8"))
        kind, rank, alpha = values["peft_type"], int(values["r"]), float(values["lora_alpha"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptAdapter(f"{CONFIG} in {str(folder)!r} cannot be read ({error}): restore it") from None
    if kind != "LORA" or values.get("modules_to_save") or values.get("bias", "none") != "none":
        raise CorruptAdapter(f"the adapter in {str(folder)!r} is more than LoRA weights: train it with bias 'none'")
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        use_rslora=bool(values.get("use_rslora", False)),
        rank_pattern=values.get("rank_pattern") or {},
        alpha_pattern=values.get("alpha_pattern") or {},
        bias="none",
        task_type="CAUSAL_LM",
    )


def layer_sizes(layer: Any) -> tuple[int, int]:
    """(inputs, outputs) of a linear layer, or of GPT-2's Conv1D."""
    if isinstance(layer, torch.nn.Linear):
        return layer.in_features, layer.out_features
    inputs, outputs = layer.weight.shape
    return inputs, outputs
