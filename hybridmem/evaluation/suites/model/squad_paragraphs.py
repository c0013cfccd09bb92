"""SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250): its paragraphs, cut into sentences, and which are held out.

The data is CC BY-SA 4.0 and no part of this package: a file is read where its folder is at hand. Its scores are in
`hybridmem.evaluation.suites.model.squad`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from hybridmem.core.errors import InvalidInput

FILE = Path("squad_dev") / "squad_dev.json"
"""Where the paragraphs stand within the folder of data."""

_STOP = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[\"“'(\[]?[A-Z0-9])")
_ABBREVIATED = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|St|Mt|Jr|Sr|No|Nos|vs|etc|ca|cf|al|Inc|Ltd|Co|Gen|Col|Sen|Rep|Prof|Fr|Rev|approx)"
    r"|\b[A-Z]|\b(?:[a-zA-Z]\.)+[a-zA-Z])\.$"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a paragraph, and the answers that are right: each is a span of the paragraph."""

    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the article `title`."""

    title: str
    context: str
    questions: tuple[Question, ...]


def read(path: Path) -> list[Paragraph]:
    """The paragraphs of the JSON file at `path`: a list of ``title``, ``context`` and ``questions``.

    A question has ``answers``, a list, or one ``answer``. Raises `InvalidInput` for a file of another form."""
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return [
            Paragraph(
                record["title"],
                record["context"],
                tuple(Question(asked["question"], _answers(asked)) for asked in record["questions"]),
            )
            for record in records
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} is no list of SQuAD paragraphs ({error}): name squad_dev.json") from None


def _answers(asked: dict[str, Any]) -> tuple[str, ...]:
    return tuple(asked["answers"]) if "answers" in asked else (asked["answer"],)


def is_held_out(title: str) -> bool:
    """Whether the article `title` is kept for evaluation: if the CRC-32 of its UTF-8 is divisible by 4.

    A pure function of the title, so that training and evaluation agree without a list. Of the 24 titles of
    ``squad_dev.json`` it holds out 6 (1,045 of 5,665 questions) and leaves 18 for training."""
    return crc32(title.encode()) % 4 == 0


def sentences(text: str) -> list[str]:
    """`text` cut after its full stops, but for those of initials and of common abbreviations."""
    found: list[str] = []
    start = 0
    for stop in _STOP.finditer(text):
        piece = text[start : stop.start()]
        if _ABBREVIATED.search(piece):
            continue
        found.append(text[start : stop.end()].strip())
        start = stop.end()
    found.append(text[start:].strip())
    return [piece for piece in found if piece]
