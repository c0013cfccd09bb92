"""The agent log that the demo lives through (`examples/days`), and the hand-written questions on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.errors import InvalidInput

FOLDER = Path(__file__).parents[3] / "examples" / "days"


@dataclass(frozen=True, slots=True)
class Asked:
    """One fact of the log: what it is about, its value, and questions in wordings of their own."""

    subject: str
    answer: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """Three days with ten facts each, a fourth on which one changes, and what is asked about them."""

    logs: tuple[Path, ...]
    """One file for each of the days that have a night of their own."""
    facts: tuple[tuple[Asked, ...], ...]
    """What each of these days stated."""
    later: Path
    """The day on which a fact changes."""
    changed: Asked
    stale: str
    deleted: Asked
    unanswerable: tuple[str, ...]


def load(folder: Path = FOLDER) -> Days:
    """The days in `folder`. Raises `InvalidInput` where they are not, as in an installation without the checkout."""
    try:
        raw = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(
            f"the demo's log is not in {folder}: run the demo from a checkout, with `make demo`"
        ) from None
    return Days(
        logs=tuple(folder / name for name in ("monday.jsonl", "tuesday.json", "wednesday.txt")),
        facts=tuple(
            tuple(Asked(f["subject"], f["answer"], tuple(f["questions"])) for f in night) for night in raw["nights"]
        ),
        later=folder / "thursday.jsonl",
        changed=Asked(raw["changed"]["subject"], raw["changed"]["new"], tuple(raw["changed"]["questions"])),
        stale=raw["changed"]["old"],
        deleted=Asked(raw["deleted"]["subject"], raw["deleted"]["answer"], tuple(raw["deleted"]["questions"])),
        unanswerable=tuple(raw["unanswerable"]),
    )
