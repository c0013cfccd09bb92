"""The throughput of a training: our loop beside `transformers.Trainer` and TRL's `SFTTrainer`, in one run.

The rows are those of a night: questions, refusals, reading and general text in the recipe's proportions. Every loop
trains a fresh copy of the base on the same batches; the loops take turns, round after round, and a ratio is that of
two neighbours in the same round, so that what else the machine does falls on both.
"""

from __future__ import annotations

import dataclasses
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.real_model import loaded
from hybridmem.evaluation.stream import make_stream
from hybridmem.models.trainable import Example

if TYPE_CHECKING:
    from hybridmem.dreaming.recipes import Recipe
    from hybridmem.evaluation.suites.training_loops import Trained
    from hybridmem.models.huggingface.model import HuggingFaceModel

OURS = "hybridmem"


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """Of one loop: medians over the rounds."""

    items_per_second: float
    """Rows."""
    tokens_per_second: float
    """Of the rows themselves: padding is not counted."""
    loss: float
    """After all steps, nats per answer token over everything that was trained on."""


@dataclass(frozen=True, slots=True)
class SpeedRatio:
    """Our tokens a second over another loop's, within a round."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Figures of one run on one machine."""

    model: str
    base_sha256: str
    recipe: str
    steps: int
    """Of each training; the first is not timed."""
    rounds: int
    rows_per_step: int
    tokens_per_step: float
    """Padding left out, on average."""
    loops: dict[str, LoopFigures]
    ratios: dict[str, SpeedRatio]
    """By the other loop."""
    left_out: tuple[str, ...]
    """The loops that could not run, and what would make them run."""
    threads: int
    device: str
    seed: int
    machine: str
    date: str


def run(
    *,
    model: str | None = None,
    recipe: str | Path | None = None,
    facts: int = 20,
    steps: int = 12,
    rounds: int = 3,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> TrainingReport:
    """Train `steps` steps of a night of so many new `facts` by every loop that is installed, `rounds` times.

    Raises `InvalidInput`, or `ModelError` for a model without weights."""
    if facts < 1 or steps < 2 or rounds < 1:
        raise InvalidInput("the training benchmark needs a fact, two steps (the first warms up) and a round at least")
    import torch

    from hybridmem.dreaming import recipes
    from hybridmem.evaluation.suites import training_loops

    base = loaded(model)
    chosen = recipes.load(recipe or recipes.DEFAULT, base.name)
    batches = _batches(base, chosen, facts, steps, seed)
    left_out = {name: why for name in training_loops.LOOPS if (why := training_loops.missing(name))}
    names = [name for name in training_loops.LOOPS if name not in left_out]
    done: dict[str, list[Trained]] = {name: [] for name in names}
    for turn in range(rounds):
        # Whoever begins a round, another begins the next.
        for place, name in enumerate(names[turn % len(names) :] + names[: turn % len(names)]):
            progress(name, turn * len(names) + place, rounds * len(names))
            done[name].append(training_loops.LOOPS[name](loaded(model), batches, chosen.train, seed))
    timed = [row for rows in batches[1:] for row in rows]
    tokens = sum(len(row.prompt) + len(row.completion) for row in timed)
    return TrainingReport(
        model=base.name,
        base_sha256=base.sha256,
        recipe=chosen.name,
        steps=steps,
        rounds=rounds,
        rows_per_step=len(batches[0]),
        tokens_per_step=tokens / (steps - 1),
        loops={name: _figures(trained, len(timed), tokens) for name, trained in done.items()},
        ratios={name: _ratio(done[OURS], trained) for name, trained in done.items() if name != OURS},
        left_out=tuple(left_out.values()),
        threads=torch.get_num_threads(),
        device=str(base.device),
        seed=seed,
        machine=platform.processor() or platform.machine(),
        date=date.today().isoformat(),
    )


def _batches(model: HuggingFaceModel, recipe: Recipe, facts: int, steps: int, seed: int) -> list[list[Example]]:
    """The rows of each step. All of them are answers here, general text too: no other loop has our objectives."""
    from hybridmem.evaluation.exercises import first_night

    plan = first_night(model, make_stream(seed, 1, facts).facts, recipe, seed)
    return [
        [dataclasses.replace(row, teacher_prompt=row.prompt, gold=True) for row in plan.sampler.rows(step)]
        for step in range(steps)
    ]


def _figures(trained: Sequence[Trained], rows: int, tokens: int) -> LoopFigures:
    seconds = statistics.median(each.seconds for each in trained)
    return LoopFigures(rows / seconds, tokens / seconds, statistics.median(each.loss for each in trained))


def _ratio(ours: Sequence[Trained], other: Sequence[Trained]) -> SpeedRatio:
    ratios = [theirs.seconds / own.seconds for own, theirs in zip(ours, other, strict=True)]
    return SpeedRatio(statistics.median(ratios), min(ratios), max(ratios))
