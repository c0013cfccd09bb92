"""Penalties: what a training is charged for where it moves the weights, whatever its rows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from hybridmem.models.trainable import LoraUpdate


class ElasticWeights:
    """EWC: half the sum over all entries of F (W - W')^2, where W' are the weights before the night and F their Fisher
    information (Kirkpatrick et al. 2017, arXiv:1612.00796, equation 3).

    W is the base's weight plus the adapter's product BA, and the base's part cancels: the penalty is on BA, not on A
    and B, which many pairs share. F comes from the file `fisher`: float (outputs, inputs) by path of the layer."""

    name = "elastic-weights"

    def __init__(self, fisher: Path, weight: float) -> None:
        self.weight = weight
        self._file = fisher
        self._fisher: dict[str, Tensor] = {}

    def loss(self, update: Mapping[str, LoraUpdate], before: Mapping[str, LoraUpdate]) -> Tensor:
        import torch

        if not self._fisher:
            from safetensors.torch import load_file

            device = next(iter(update.values()))[0].device
            self._fisher = {path: value.to(device) for path, value in load_file(self._file).items()}
        charged = []
        for path, (a, b) in update.items():
            moved = b @ a
            if path in before:
                a0, b0 = before[path]
                moved = moved - b0 @ a0
            if path in self._fisher:
                charged.append((self._fisher[path].to(moved.dtype) * moved.square()).sum())
        return torch.stack(charged).sum() / 2


@dataclass(frozen=True, slots=True)
class OrthogonalInputs:
    """O-LoRA: the sum over all entries of |A' A^T|, where A' are the inputs that earlier nights' updates read and A
    those of tonight's (Wang et al. 2023, arXiv:2310.14152, equation 5). 0 where tonight's update reads nothing that
    they read."""

    weight: float
    name: str = "orthogonal-inputs"

    def loss(self, update: Mapping[str, LoraUpdate], before: Mapping[str, LoraUpdate]) -> Tensor:
        import torch

        read = [(before[path][0] @ a.mT).abs().sum() for path, (a, _) in update.items() if path in before]
        return torch.stack(read).sum()
