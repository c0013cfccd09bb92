"""LoCoMo's conversations between two people (`importers.locomo`), with its categories by their names."""

from __future__ import annotations

from pathlib import Path

from hybridmem.evaluation.conversations.base import Conversation, Question, json_files
from hybridmem.importers import locomo

TYPES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""By LoCoMo's numbers, as its released code means them."""


def load(path: Path) -> list[Conversation]:
    """The conversations of LoCoMo's file, or of a folder of such. Raises `InvalidInput` and `UnknownFormat`."""
    files = json_files(path, "LoCoMo's file or its folder")
    return [_conversation(sample) for file in files for sample in locomo.load(file)]


def _conversation(sample: locomo.Conversation) -> Conversation:
    return Conversation(
        sample.sample,
        sample.turns,
        tuple(str(turn.metadata.get("dia_id", "")) for turn in sample.turns),
        tuple(
            Question(
                asked.text,
                TYPES.get(asked.category, f"category {asked.category}"),
                asked.evidence,
                asked.answer,
                asked.category in locomo.ANSWERABLE,
            )
            for asked in sample.questions
        ),
    )
