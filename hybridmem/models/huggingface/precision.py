"""Where a model runs, and in which numbers: what its frozen weights are kept in, and what they are multiplied in.

LoRA's own weights and the optimizer's state are float32 everywhere. A CPU without bfloat16 instructions emulates them,
a hundred times as slowly as it multiplies float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from hybridmem.core.errors import InvalidInput

CPU_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")
"""The names, of those that `torch.cpu.get_capabilities` uses, that mean a bfloat16 matrix product."""
LARGE = 300_000_000
"""Parameters from which on a CPU that multiplies bfloat16 keeps a model in it: float32 would take 1.2 GB and more, and
writing an answer is as slow as reading the weights. Below, float32 costs little and rounds nothing."""
DTYPES = {
    "float32": torch.float32,
    "fp32": torch.float32,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
}
"""What a user may call them."""


def multiplies_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware; no for whatever does not say so."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(cpu_capabilities().get(name) for name in CPU_INSTRUCTIONS)


def cpu_capabilities() -> Mapping[str, Any]:
    """What torch knows of this CPU; nothing in a release that does not tell."""
    tell = getattr(torch.cpu, "get_capabilities", dict)
    return dict(tell())


def chosen_device(wanted: str | None = None) -> torch.device:
    """The device called `wanted`, or the best one here: CUDA, Apple's MPS, the CPU.

    Raises `InvalidInput` for one that is not here."""
    if wanted is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise InvalidInput(f"there is no device {wanted!r}: choose cpu, cuda, cuda:1 or mps") from None
    if not _is_here(device):
        raise InvalidInput(
            f"this machine (or this build of torch) has no {wanted!r}: leave the device out, or pass cpu"
        )
    return device


def _is_here(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


def chosen_dtype(
    wanted: torch.dtype | str | None, device: torch.device, *, parameters: int = 0, quantized: bool = False
) -> torch.dtype:
    """`wanted`, or what the weights of a model of so many `parameters` are best kept in on `device`.

    CUDA: bfloat16, or float16 where the card has no bfloat16. MPS: float16. A CPU: bfloat16 for a model of `LARGE`
    parameters or more where the CPU multiplies it, else float32. `quantized` weights are multiplied in what this says:
    a CPU takes bfloat16 for these whatever their number. Raises `InvalidInput`."""
    if isinstance(wanted, torch.dtype):
        return wanted
    if wanted is not None:
        if wanted not in DTYPES:
            raise InvalidInput(f"there is no dtype {wanted!r}: choose float32, bfloat16 or float16")
        return DTYPES[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if multiplies_bf16(device) else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if (quantized or parameters >= LARGE) and multiplies_bf16(device) else torch.float32
