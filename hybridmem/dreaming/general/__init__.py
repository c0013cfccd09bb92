"""Text and questions that have nothing to do with anybody's memories: what a dream must leave unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

FOLDER = Path(__file__).parent


def rows(model: HuggingFaceModel, part: Literal["train", "dev", "test"], tokens: int) -> list[tuple[int, ...]]:
    """The text of that part as rows of exactly `tokens` token ids."""
    ids: Sequence[int] = model.tokenizer(
        (FOLDER / f"{part}.txt").read_text(encoding="utf-8"), add_special_tokens=False, verbose=False
    )["input_ids"]
    return [tuple(ids[start : start + tokens]) for start in range(0, len(ids) - tokens + 1, tokens)]


def unrelated(part: Literal["dev", "test"]) -> tuple[str, ...]:
    """Questions whose answer an adapter must not change."""
    first, _, second = (FOLDER / "unrelated.txt").read_text(encoding="utf-8").partition("\n\n")
    return tuple((first if part == "dev" else second).strip().splitlines())
