"""Frozen weights in four bits, through bitsandbytes (Dettmers et al. 2023, arXiv:2305.14314)."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from hybridmem.core.errors import MissingExtra, ModelError

if TYPE_CHECKING:
    import torch

INSTALL = "pip install 'bitsandbytes>=0.46.1'"


def configuration(device: torch.device, compute: torch.dtype) -> Any:
    """The `transformers.BitsAndBytesConfig`: NF4 with quantized constants, multiplied in the precision `compute`.

    Raises `MissingExtra` without bitsandbytes, and `ModelError` where the installed one has no kernels for `device`."""
    require(device)
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def require(device: torch.device) -> None:
    """Raises `MissingExtra` or `ModelError` unless bitsandbytes is here and runs on `device`."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra(f"weights in 4 bits need bitsandbytes: {INSTALL}")
    try:
        import bitsandbytes
    except (ImportError, OSError, RuntimeError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise MissingExtra(f"bitsandbytes is installed and cannot be loaded ({cause[:200]}): {INSTALL}") from None
    supported = getattr(bitsandbytes, "supported_torch_devices", {"cuda"})
    if device.type not in supported:
        raise ModelError(
            f"bitsandbytes {bitsandbytes.__version__} has no kernels for the device {device.type!r}: {INSTALL}, or "
            f"load the model without quantize"
        )
