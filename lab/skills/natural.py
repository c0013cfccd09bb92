"""Natural messages with what they say, from JSON lines (the schema is in ``lab/natural/README.md``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from hybridmem.models.prompts import Mood

FOLDER = Path(__file__).parents[1] / "natural"
HELD_OUT = frozenset({"d_self", "i_young"})
"""Files that no training reads."""
Split = Literal["train", "held-out"]
USER = "user"
"""The speaker whose name is not known; propositions call this one "the user"."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before a message."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Proposition:
    """A self-contained sentence that a message states, wishes, reports ..."""

    text: str
    mood: Mood
    span: str
    """The words of the message that say it."""
    triples: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """An earlier memory that a message changes."""

    older: str
    older_at: datetime
    question: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class NaturalRecord:
    """One message; the pairs are (question, answer)."""

    id: str
    at: datetime
    speaker: str
    before: tuple[Turn, ...]
    text: str
    propositions: tuple[Proposition, ...]
    questions: tuple[tuple[str, str], ...]
    unanswerable: tuple[str, ...]
    yes_no: tuple[tuple[str, str], ...]
    change: Change | None


def load(split: Split, folder: Path = FOLDER) -> list[NaturalRecord]:
    """The records of `split`, file by file. Raises `ValueError` naming the line that is none."""
    chosen = [file for file in sorted(folder.glob("*.jsonl")) if (file.stem in HELD_OUT) == (split == "held-out")]
    return [record for file in chosen for record in read(file)]


def read(file: Path) -> list[NaturalRecord]:
    """The records of one file. Raises `ValueError` naming the line that is none."""
    records = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        try:
            records.append(_record(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file.name}, line {number} is no natural record: {error}") from error
    return records


def problems(record: NaturalRecord) -> list[str]:
    """What is wrong with a record: spans and answers that are not in the text, unknown moods, dates in disorder."""
    said = "\n".join([record.text, *(turn.text for turn in record.before)])
    found = [f"no mood: {p.mood}" for p in record.propositions if p.mood not in get_args(Mood)]
    found += [f"not in the message: {p.span!r}" for p in record.propositions if p.span not in record.text]
    found += [f"not in the text: {answer!r}" for _, answer in record.questions if answer not in said]
    found += [f"neither Yes nor No: {answer!r}" for _, answer in record.yes_no if answer not in {"Yes", "No"}]
    asked = [*(q for q, _ in record.questions), *record.unanswerable, *(q for q, _ in record.yes_no)]
    found += [f"no question: {question!r}" for question in asked if not question.endswith("?")]
    if record.change is not None:
        found += [f"not older: {record.change.older_at}"] * (record.change.older_at >= record.at)
        found += [f"not in the older memory: {record.change.old!r}"] * (record.change.old not in record.change.older)
    return found


def _record(line: dict[str, Any]) -> NaturalRecord:
    changes = line["changes"]
    return NaturalRecord(
        id=line["id"],
        at=datetime.fromisoformat(line["at"]),
        speaker=line["speaker"],
        before=tuple(Turn(turn["speaker"], turn["text"]) for turn in line["before"]),
        text=line["text"],
        propositions=tuple(
            Proposition(p["text"], p["mood"], p["span"], tuple(tuple(triple) for triple in p["triples"]))
            for p in line["propositions"]
        ),
        questions=_pairs(line["questions"]),
        unanswerable=tuple(line["unanswerable"]),
        yes_no=_pairs(line["yes_no"]),
        change=changes
        and Change(
            changes["older"],
            datetime.fromisoformat(changes["older_at"]),
            changes["q"],
            changes["old"],
            changes["new"],
        ),
    )


def _pairs(given: Sequence[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((pair["q"], pair["a"]) for pair in given)
