"""Text and questions that have nothing to do with anybody's memories: what a dream must leave unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hybridmem.dreaming.recipes import EvalSettings
from hybridmem.models import prompts
from hybridmem.models.trainable import TrainableModel

FOLDER = Path(__file__).parent
OWN_ANSWER_TOKENS = 16


def rows(model: TrainableModel, part: Literal["train", "dev", "test"], tokens: int) -> list[tuple[int, ...]]:
    """The text of that part as rows of exactly `tokens` token ids."""
    ids = model.encode_text((FOLDER / f"{part}.txt").read_text(encoding="utf-8"))
    return [tuple(ids[start : start + tokens]) for start in range(0, len(ids) - tokens + 1, tokens)]


def drift_rows(model: TrainableModel, part: Literal["dev", "test"], sizes: EvalSettings) -> list[tuple[int, ...]]:
    """The rows of that part on which an adapter's drift is measured."""
    return rows(model, part, sizes.drift_tokens)[: sizes.drift_rows]


def unrelated(part: Literal["train", "dev", "test"]) -> tuple[str, ...]:
    """Questions whose answer an adapter must not change."""
    dev, test, train = (FOLDER / "unrelated.txt").read_text(encoding="utf-8").split("\n\n")
    return tuple({"dev": dev, "test": test, "train": train}[part].strip().splitlines())


def own_answers(model: TrainableModel) -> list[tuple[str, str]]:
    """The training questions, each with the bare base's own answer."""
    asked = unrelated("train")
    with model.adapted(None):
        said = model.generate([prompts.answer(question) for question in asked], max_new_tokens=OWN_ANSWER_TOKENS)
    return [(question, answer.text) for question, answer in zip(asked, said, strict=True) if answer.text]
