"""Make the questions that stand behind a young namespace's threshold (`hybridmem/router/pooled_questions`).

    python -m lab.pool_questions smollm2 --week lab/weeks/week_*.py
    python -m lab.pool_questions bundled --run runs/router

From weeks, which the model is told and asked about without a dream, or from the nights that `hybridmem bench router
--out` kept. Only figures are written: signals, and whether an answer was right. To be made anew where a base, a signal
or what is read changes.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import hybridmem.router
from hybridmem.core.disk import write_whole
from hybridmem.evaluation.routing.outcome import Outcome
from hybridmem.evaluation.routing.refitting import graded
from hybridmem.evaluation.week import Week, WeekQuestion, read
from hybridmem.memory import HybridMemory
from hybridmem.router.calibration import Graded
from hybridmem.router.pooled import FOLDER, to_table


def of_runs(folders: Sequence[Path]) -> Iterator[Graded]:
    """The questions of every seed and night that a router benchmark kept there."""
    for file in sorted(each for folder in folders for each in folder.glob("seed-*/night-*.json")):
        yield from graded([Outcome.from_json(each) for each in json.loads(file.read_text("utf-8"))["outcomes"]])


def of_week(week: Week, model: str) -> list[Graded]:
    """A week's questions, on the day after it."""
    over = max(at for at, _ in week.messages) + timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder) / "memory", model, over) as memory:
        for at, text in week.messages:
            memory.add(text, at=at, speaker=week.speaker or None)
        memory.catch_up()
        return [_graded(memory, question, f"{week.name}: {question.text}") for question in week.questions]


def _graded(memory: HybridMemory, question: WeekQuestion, group: str) -> Graded:
    (heard,) = memory.router.readings([question.text])
    return Graded.of(heard.weights, heard.memories, lambda said: question.verdict(said) == "right", group, heard.better)


def _opened(folder: Path, model: str, now: datetime) -> HybridMemory:
    return HybridMemory.open(folder, namespace=("bench",), model=model, clock=lambda: now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--week", type=Path, nargs="*", default=[])
    parser.add_argument("--run", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    pooled = list(of_runs(given.run))
    for file in given.week:
        pooled += of_week(read(file), given.model)
    folder = Path(hybridmem.router.__file__).parent / FOLDER
    folder.mkdir(exist_ok=True)
    write_whole(folder / f"{given.model}.json", json.dumps(to_table(pooled), separators=(",", ":")) + "\n")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("lab.pool_questions").info("%d questions", len(pooled))


if __name__ == "__main__":
    main()
