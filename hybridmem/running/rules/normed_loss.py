"""The inner loss of TTT: a residual behind a LayerNorm, and its gradient in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-6
"""Added to the variance, as in the paper's code."""


def normed(z: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """γ (z − μ)/σ + b over the last dimension."""
    centred = z - z.mean(-1, keepdim=True)
    return gain * centred / _deviation(centred) + shift


def normed_gradient(z: Tensor, target: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """∂/∂z of ½‖normed(z) − target‖²: (e − mean e − x̂ mean(e x̂))/σ with e = γ (γx̂ + b − target)."""
    centred = z - z.mean(-1, keepdim=True)
    deviation = _deviation(centred)
    unit = centred / deviation
    error = gain * (gain * unit + shift - target)
    along = (error * unit).mean(-1, keepdim=True)
    return (error - error.mean(-1, keepdim=True) - unit * along) / deviation


def _deviation(centred: Tensor) -> Tensor:
    return torch.sqrt(centred.square().mean(-1, keepdim=True) + EPSILON)
