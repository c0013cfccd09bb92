"""The default base as a model folder in the cache: its published weights with the memory skills merged in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from hybridmem.models import cache, smollm2
from hybridmem.models.huggingface import checkpoint, gguf_header, gguf_model
from hybridmem.models.huggingface.checkpoint import Checkpoint
from hybridmem.models.huggingface.merging import merged
from hybridmem.models.smollm2.sources import Sources, find

_DTYPE = torch.bfloat16


def located(name: str, *, skilled: bool) -> Checkpoint:
    """The base as a model folder, made where it is not there yet; `name` is what it is called in the cache.

    Its digest is that of its sources. Raises what `sources.find` raises, and `ModelError` where the cache cannot be
    written."""
    sources = find(name, skilled=skilled)
    if sources.is_original and sources.skills is None:
        return checkpoint.checked(sources.weights.parent)
    takes = _DTYPE.itemsize * sum(sizes(sources).values()) + gguf_model.TOKENIZER_BYTES
    folder = cache.made(name, sources.sha256, partial(_make, sources), takes=takes)
    return replace(checkpoint.checked(folder), sha256=sources.sha256)


def sizes(sources: Sources) -> Mapping[str, int]:
    """How many numbers each tensor has, without reading any."""
    if sources.is_original:
        return checkpoint.parameters(checkpoint.checked(sources.weights.parent))
    return gguf_header.read(sources.weights).sizes


def _make(sources: Sources, folder: Path) -> None:
    """In float32 until the end, so that the sum of weights and skills is rounded once."""
    if sources.is_original:
        original = checkpoint.checked(sources.weights.parent)
        module, tokenizer = checkpoint.read(original, device=torch.device("cpu"), dtype=torch.float32)
    else:
        module, tokenizer = gguf_model.read(sources.weights, gguf_header.read(sources.weights), torch.float32)
    if sources.skills is not None:
        module = merged(module, sources.skills)
        tokenizer.chat_template = smollm2.TEMPLATE.read_text(encoding="utf-8")
    checkpoint.write(module, tokenizer, folder, _DTYPE)
