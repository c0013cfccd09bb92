"""Temp-LoRA (Wang et al. 2024, arXiv:2401.11504): the session in the weights, by next-token loss on its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.continual.objectives import CrossEntropy
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.trainable import Example
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings
from hybridmem.training.trainer import train

EPOCHS = 2
BATCH = 4
"""Rows of a step."""
ROW = 128
"""Tokens of a row."""
SETTINGS = TrainSettings(rank=64, alpha=64, stop_threshold=2.0)
"""The paper's rank, with this package's optimizer and its rate; it ends with its epochs."""


@dataclass(frozen=True, slots=True)
class _Epochs:
    """A sampler of all rows in order, again and again."""

    texts: tuple[Example, ...]

    def rows(self, step: int) -> list[Example]:
        first = step * BATCH
        return [self.texts[at % len(self.texts)] for at in range(first, first + BATCH)]

    def examples(self) -> list[Example]:
        return list(self.texts)


def train_on(model: HuggingFaceModel, ids: Sequence[int], folder: Path, seed: int) -> int:
    """Train an adapter on `ids` into `folder`; returns its bytes."""
    rows = [tuple(ids[start : start + ROW]) for start in range(0, len(ids), ROW)]
    texts = tuple(dict.fromkeys(Example((), row, (), gold=True) for row in rows if len(row) > 1))
    plan = TrainingPlan(
        sampler=_Epochs(texts),
        objectives=(CrossEntropy(certain=1.0),),
        parent=None,
        steps=max(1, EPOCHS * len(texts) // BATCH),
    )
    train(model, plan, SETTINGS, seed, folder)
    return sum(file.stat().st_size for file in folder.iterdir())
