"""Products of two thin matrices, at another rank, and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from hybridmem.models.trainable import LoraUpdate


def refitted(a: Tensor, b: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """`a` (r, inputs) and `b` (outputs, r) at another `rank`: the nearest product of that rank, by its largest singular
    values; or the same product, with zeros beside it, where `rank` is larger than r.

    The product itself is never formed: its singular values are those of the small matrix between two QR factors."""
    if rank >= len(a):
        more = rank - len(a)
        return torch.cat([a, a.new_zeros(more, a.shape[1])]), torch.cat([b, b.new_zeros(len(b), more)], dim=1)
    q_out, r_out = torch.linalg.qr(b.float())
    q_in, r_in = torch.linalg.qr(a.float().mT)
    u, s, v = torch.linalg.svd(r_out @ r_in.mT)
    root = s[:rank].sqrt()
    return (root[:, None] * v[:rank]) @ q_in.mT, (q_out @ u[:, :rank]) * root


def summed(one: Mapping[str, LoraUpdate], other: Mapping[str, LoraUpdate]) -> dict[str, LoraUpdate]:
    """The updates of both, exactly, at no more rank than a weight has."""
    total = {**one, **other}
    for path in one.keys() & other.keys():
        a = torch.cat([one[path][0], other[path][0]])
        b = torch.cat([one[path][1], other[path][1]], dim=1)
        total[path] = refitted(a, b, min(len(a), a.shape[1], len(b)))
    return total
