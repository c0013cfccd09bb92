"""How a model would run on this machine, as far as can be told without loading it or asking the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridmem.models.names import BUNDLED, FAKE, SMOLLM2, SMOLLM2_INSTRUCT, chosen
from hybridmem.models.spec import ModelSettings, parse


@dataclass(frozen=True, slots=True)
class ResourceEstimate:
    """What was chosen for a model, or by its settings, and the memory that there is for it."""

    model: str
    device: str
    dtype: str | None
    """Of the frozen weights; None for a model that is not on this machine yet."""
    quantize: str | None
    multiplies_bfloat16: bool
    """Whether trainings run in bfloat16 here, where the recipe lets them."""
    parameters: int | None
    weights_gb: float | None
    """What the weights take once they are loaded."""
    free_gb: float
    training_gb: float
    """What of it a dream's training would take at most."""


def resource_estimate(name: str | Path | None, settings: ModelSettings | None = None) -> ResourceEstimate | None:
    """The estimate for the model of that name; None for the fake one, which needs nothing.

    Raises `InvalidInput`, `ModelNotFound`, `ModelIncomplete`, `MissingExtra` or `ModelError`: what loading it would."""
    bare, options = parse(chosen(name), settings)
    if bare == FAKE:
        return None
    from hybridmem.models.huggingface import checkpoint, quantized
    from hybridmem.models.huggingface.free_memory import free_bytes
    from hybridmem.models.huggingface.memory_budget import share_of
    from hybridmem.models.huggingface.precision import chosen_device, chosen_dtype, multiplies_bf16

    device = chosen_device(options.device)
    if options.quantize is not None:
        quantized.require(device)
    dtype = parameters = weights = None
    if (sizes := _sizes(bare)) is not None:
        few = options.quantize is not None
        parameters = sum(sizes.values())
        dtype = chosen_dtype(options.dtype, device, parameters=parameters, quantized=few)
        weights = checkpoint.weights_bytes(sizes, dtype, quantized=few) / 1e9
    free = free_bytes(device)
    return ResourceEstimate(
        model=str(bare),
        device=str(device),
        dtype=None if dtype is None else str(dtype).removeprefix("torch."),
        quantize=options.quantize,
        multiplies_bfloat16=multiplies_bf16(device),
        parameters=parameters,
        weights_gb=weights,
        free_gb=free / 1e9,
        training_gb=share_of(free) / 1e9 if options.memory is None else options.memory,
    )


def _sizes(name: str | Path) -> Mapping[str, int] | None:
    """How many numbers each tensor of the model has; None for a hub model that would have to be fetched."""
    from hybridmem.models import bundled
    from hybridmem.models.huggingface import checkpoint, gguf_header
    from hybridmem.models.smollm2 import base, sources

    if name in (SMOLLM2, SMOLLM2_INSTRUCT):
        return base.sizes(sources.find(str(name), skilled=name == SMOLLM2))
    if gguf_header.is_gguf(name):
        return gguf_header.read(Path(name).expanduser()).sizes
    found = checkpoint.here(bundled.folder() if name == BUNDLED else name)
    return None if found is None else checkpoint.parameters(found)
