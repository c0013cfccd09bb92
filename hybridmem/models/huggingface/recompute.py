"""Layers that keep their inputs alone and are computed again in the backward pass: less memory for more time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def recomputed(module: Any, wanted: bool = True) -> Iterator[bool]:
    """Within this context the layers of a `transformers` model are computed twice where `wanted`; tells whether they
    are: a family without such layers stays as it is.

    The method of `transformers` would do it for a model in training mode alone, and turn its dropout on: here only the
    layers themselves take that mode, and nothing within them."""
    from torch.utils.checkpoint import checkpoint
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [each for each in module.modules() if isinstance(each, GradientCheckpointingLayer)] if wanted else []
    before = [(each.gradient_checkpointing, each.training) for each in layers]
    for each in layers:
        each._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
        each.gradient_checkpointing = True
        each.training = True
    try:
        yield bool(layers)
    finally:
        for each, (on, training) in zip(layers, before, strict=True):
            each.gradient_checkpointing = on
            each.training = training
