"""Updates that may be any matrix, in LoRA's form: one of the two matrices is the identity, the other the update itself.

The identity is the smaller one that fits and takes no gradients, so that the other sees exactly the gradient of the
dense weight, and any program that reads LoRA adapters reads these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from hybridmem.core.errors import ModelError
from hybridmem.models.huggingface.adapter_files import layer_sizes, weight_key
from hybridmem.models.huggingface.lora import fan_in_fan_out, linear_layers, lora_config

if TYPE_CHECKING:
    from peft import LoraConfig

    from hybridmem.models.trainable import LoraUpdate


def full_rank_config(model: Any, targets: str | Sequence[str]) -> LoraConfig:
    """The `peft.LoraConfig` in which each of the chosen layers has as much rank as its weight, and a scale of 1."""
    config = lora_config(model, 1, 1, targets)
    layers = linear_layers(model)
    ranks = {path: min(layer_sizes(layers[path])) for path in config.target_modules or ()}
    return dataclasses.replace(config, rank_pattern=ranks, alpha_pattern=dict(ranks))


def free_side(layer: Any) -> str:
    """Which of LoRA's two matrices is the update of `layer`: ``B``, or ``A`` where the layer narrows."""
    inputs, outputs = layer_sizes(layer)
    return "B" if inputs <= outputs else "A"


def full_rank_tensors(model: Any, config: LoraConfig, update: Mapping[str, LoraUpdate]) -> dict[str, Tensor]:
    """An adapter of `config` whose update is `update`, zero where that names no layer; by the names that files have."""
    layers = linear_layers(model)
    tensors = {}
    for path in config.target_modules or ():
        inputs, outputs = layer_sizes(layers[path])
        side = free_side(layers[path])
        dense = torch.zeros(outputs, inputs)
        if path in update:
            a, b = (matrix.detach().float().cpu() for matrix in update[path])
            dense = b @ a
        tensors[weight_key(path, side)] = dense
        tensors[weight_key(path, "A" if side == "B" else "B")] = torch.eye(min(inputs, outputs))
    return tensors


class ProtectedDirections:
    """Keeps gradients out of the largest singular directions of a weight (orthogonal subspace fine-tuning, Nayak et al.
    2025, arXiv:2504.07097).

    With W = U S V^T the gradient G becomes (1 - U' U'^T) G (1 - V' V'^T), for the first columns U' and V' of U and V.
    The paper trains the factors of what is left of W under the same two conditions. Every matrix that meets them has
    at most the rank that is left, so that both ways reach the same weights."""

    def __init__(self, weight: Tensor, proportion: float) -> None:
        left, _, right = torch.linalg.svd(weight.float(), full_matrices=False)
        kept = round(proportion * min(weight.shape))
        self._left = left[:, :kept].contiguous()
        self._right = right[:kept].contiguous()

    def remove_from(self, gradient: Tensor) -> Tensor:
        """`gradient` (outputs, inputs) without what moves a protected direction."""
        left_free: Tensor = gradient - self._left @ (self._left.mT @ gradient)
        freed: Tensor = left_free - (left_free @ self._right.mT) @ self._right
        return freed


def protect(
    layers: Mapping[str, Any], update: Mapping[str, LoraUpdate], free: Mapping[str, nn.Parameter], proportion: float
) -> None:
    """From now on the gradients of the updates `free`, by path, stay out of so much of the weights as they are: those
    of the base's `layers` with `update`. Raises `ModelError` for quantized weights."""
    if not all(layer.weight.is_floating_point() for layer in layers.values()):
        raise ModelError("quantized weights have no singular directions at hand: load the model without quantize")
    turned = fan_in_fan_out(layers.values())
    for path, parameter in free.items():
        weight = layers[path].weight.detach().float()
        a, b = update[path]
        protected = ProtectedDirections((weight.mT if turned else weight) + (b @ a).detach(), proportion)
        parameter.register_hook(protected.remove_from)  # type: ignore[no-untyped-call]
