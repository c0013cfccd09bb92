"""Which precision a training's forward passes run in: bfloat16 where the hardware multiplies it, float32 elsewhere.

A CPU without bfloat16 instructions emulates them, a hundred times as slowly as it multiplies float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

CPU_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")
"""The names, of those that `torch.cpu.get_capabilities` uses, that mean a bfloat16 matrix product."""


def multiplies_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware; no for whatever does not say so."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(cpu_capabilities().get(name) for name in CPU_INSTRUCTIONS)


def cpu_capabilities() -> Mapping[str, Any]:
    """What torch knows of this CPU; nothing in a release that does not tell."""
    tell = getattr(torch.cpu, "get_capabilities", dict)
    return dict(tell())
