"""Keys without a position, and back at any other (rotary embeddings, Su et al. 2021, arXiv:2104.09864).

A rotary key at position p is the bare key, turned by p times the frequencies. Turning it back by p gives a key that can
stand anywhere later: turned by q, it is what the model itself would have computed at q from the same hidden state.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Rotation:
    """Turns keys or queries by the `frequencies` of a model, of shape (size / 2,): radians a position."""

    def __init__(self, frequencies: Tensor) -> None:
        self._frequencies = frequencies.float()

    def placed(self, bare: Tensor, positions: Tensor) -> Tensor:
        """float32 (..., n, size): `bare` at `positions` (n,)."""
        return self._turned(bare, positions, 1.0)

    def bare(self, placed: Tensor, positions: Tensor) -> Tensor:
        """float32 (..., n, size): `placed`, which stands at `positions` (n,), without them."""
        return self._turned(placed, positions, -1.0)

    def _turned(self, given: Tensor, positions: Tensor, direction: float) -> Tensor:
        angles = positions.float()[:, None] * self._frequencies.to(positions.device)
        cosine, sine = angles.cos(), angles.sin() * direction
        first, second = given.float().chunk(2, dim=-1)
        turned = torch.empty(given.shape, device=given.device)
        half = first.shape[-1]
        torch.mul(first, cosine, out=turned[..., :half]).addcmul_(second, sine, value=-1)
        torch.mul(second, cosine, out=turned[..., half:]).addcmul_(first, sine)
        return turned
