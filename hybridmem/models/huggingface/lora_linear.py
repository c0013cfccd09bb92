"""A linear layer with its LoRA update as one step of autograd, for training.

PEFT's layer computes the update beside the frozen product, scales it and adds it: three tensors as large as the layer's
output, with as many again in the backward pass. Here the update is added within a matrix product, forwards and
backwards, and the scale falls on the thin matrix in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@contextmanager
def fused(module: Any, adapter: str) -> Iterator[None]:
    """Within this context the layers of `module` that carry `adapter`, and no other adapter in force, compute it so.

    Layers of other kinds (quantized, GPT-2's Conv1D, with dropout or a variant of LoRA) stay as PEFT has them."""
    layers = [layer for layer in module.modules() if _fits(layer, adapter)]
    for layer in layers:
        layer.forward = _Forward(layer, adapter)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _fits(layer: Any, adapter: str) -> bool:
    from peft.tuners.lora.layer import Linear

    return (
        type(layer) is Linear
        and type(layer.base_layer) is nn.Linear
        and layer.active_adapters == [adapter]
        and adapter in layer.lora_A
        and adapter not in layer.lora_variant
        and not layer.disable_adapters
        and not layer.merged
        and layer.lora_B[adapter].bias is None
        and isinstance(layer.lora_dropout[adapter], nn.Identity)
        and not layer.base_layer.weight.requires_grad
    )


class _Forward:
    """What a layer calls in the place of its own forward method."""

    def __init__(self, layer: Any, adapter: str) -> None:
        self._plain = layer.forward
        self._base = layer.base_layer
        self._down, self._up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
        self._scale = layer.scaling[adapter]

    def __call__(self, given: Tensor) -> Tensor:
        if not torch.is_autocast_enabled(given.device.type) and self._base.weight.dtype != self._down.dtype:
            # Half-precision weights, with an update that is computed in float32: no product holds both.
            plain: Tensor = self._plain(given)
            return plain
        product: Tensor = _LoraLinear.apply(  # type: ignore[no-untyped-call]
            given, self._base.weight, self._base.bias, self._down, self._up, self._scale
        )
        return product


class _LoraLinear(torch.autograd.Function):
    """given @ weight.T + bias + scale * given @ down.T @ up.T, of which `given`, `down` and `up` take gradients."""

    @staticmethod
    def forward(
        ctx: Any, given: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float
    ) -> Tensor:
        device = given.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else given.dtype
        with torch.autocast(device, enabled=False):
            rows = given.reshape(-1, given.shape[-1]).to(dtype)
            weight, down, up = weight.to(dtype), down.to(dtype), up.to(dtype)
            thin = rows @ down.mT
            product = functional.linear(rows, weight, None if bias is None else bias.to(dtype))
            product.addmm_(thin, up.mT, alpha=scale)
        ctx.save_for_backward(rows, thin, weight, down, up)
        ctx.scale, ctx.dtype = scale, given.dtype
        return product.view(*given.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        rows, thin, weight, down, up = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        of_rows = gradient.reshape(-1, gradient.shape[-1]).to(rows.dtype)
        of_thin = (of_rows @ up).mul_(ctx.scale)
        of_given = None
        if wanted[0]:
            of_given = (of_rows @ weight).addmm_(of_thin, down).to(ctx.dtype).view(*gradient.shape[:-1], -1)
        of_down = (of_thin.mT @ rows).float() if wanted[3] else None
        of_up = (of_rows.mT @ thin).mul_(ctx.scale).float() if wanted[4] else None
        return of_given, None, None, of_down, of_up, None
