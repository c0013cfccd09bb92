"""Keepsakes: what a strategy stores beside an adapter for the nights to come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.models.trainable import Example, TrainingAdapter

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Fisher:
    """The diagonal of the Fisher information of all nights, as online EWC sums it (Schwarz et al. 2018,
    arXiv:1805.06370): in bfloat16, since its values span many orders of magnitude."""

    rows: tuple[Example, ...]
    """Tonight's answers."""
    before: Path | None
    """The parent's folder."""

    FILE = "fisher.safetensors"

    def keep(self, adapter: TrainingAdapter, folder: Path) -> None:
        import torch
        from safetensors.torch import load_file, save_file

        tonight = adapter.importance(self.rows)
        if not tonight:
            return
        earlier = load_file(self.before / self.FILE) if self.before and (self.before / self.FILE).exists() else {}
        total = {
            path: (value.cpu() + earlier[path].float() if path in earlier else value.cpu()).to(torch.bfloat16)
            for path, value in tonight.items()
        }
        save_file(total, folder / self.FILE, metadata={"format": "pt"})


@dataclass(frozen=True, slots=True)
class DarkKnowledge:
    """What the adapter predicted for each exercise at the end of the night that learned it: the most probable tokens
    at each place of the answer, with their log-probabilities."""

    new: tuple[Example, ...]
    """Tonight's exercises."""
    old: tuple[Example, ...]
    """Those of earlier nights that still stand: what is kept of them stays as it was."""
    before: Path | None
    """The parent's folder."""

    FILE = "dark_knowledge.safetensors"
    KEPT = 16
    """Tokens at each place."""

    def keep(self, adapter: TrainingAdapter, folder: Path) -> None:
        from safetensors.torch import save_file

        earlier = read_predictions(self.before)
        kept = {row_key(row): earlier[row_key(row)] for row in self.old if row_key(row) in earlier}
        fresh = [row for row in self.new if row_key(row) not in kept]
        for row, found in zip(fresh, adapter.top_predictions(fresh, self.KEPT), strict=False):
            kept[row_key(row)] = found
        if not kept:
            return
        tensors = {f"{key}|{part}": value.contiguous() for key, pair in kept.items() for part, value in enumerate(pair)}
        save_file(tensors, folder / self.FILE, metadata={"format": "pt"})


def read_predictions(folder: Path | None) -> dict[str, tuple[Tensor, Tensor]]:
    """By `row_key`: (tokens, log-probabilities), each (predicted tokens, `DarkKnowledge.KEPT`); empty where the folder
    has none."""
    if folder is None or not (folder / DarkKnowledge.FILE).exists():
        return {}
    from safetensors.torch import load_file

    tensors = load_file(folder / DarkKnowledge.FILE)
    return {key: (tensors[f"{key}|0"], tensors[f"{key}|1"]) for key in sorted({name.split("|")[0] for name in tensors})}


def row_key(row: Example) -> str:
    """A name for the row that another process gives it as well."""
    return hashlib.sha256(repr((row.prompt, row.completion)).encode()).hexdigest()[:24]


def spread(groups: Sequence[Sequence[Example]], most: int) -> tuple[Example, ...]:
    """At most about `most` rows, the same number of every group."""
    each = max(1, most // max(1, len(groups)))
    return tuple(row for group in groups for row in group[:each])
