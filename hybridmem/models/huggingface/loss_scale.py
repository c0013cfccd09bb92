"""A factor on the loss that keeps gradients within float16, which calls anything below 6e-8 zero.

Micikevicius et al. 2018 (arXiv:1710.03740). Only MPS and older CUDA cards need it: float32 and bfloat16 reach further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_FIRST = 2.0**12


@dataclass(slots=True)
class LossScale:
    """The factor, and what becomes of it when a gradient overflows."""

    value: float = 1.0

    @classmethod
    def of(cls, dtype: torch.dtype) -> LossScale:
        """The factor to begin with, for activations of `dtype`."""
        return cls(_FIRST if dtype == torch.float16 else 1.0)

    def undo(self, parameters: Sequence[Tensor]) -> bool:
        """Take the factor out of the gradients; false where they overflowed: then halve it and take no step."""
        if self.value == 1.0:
            return True
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        torch._foreach_div_(gradients, self.value)
        if all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            return True
        self.value = max(1.0, self.value / 2)
        return False
