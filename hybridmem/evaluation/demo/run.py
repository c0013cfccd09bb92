"""The demo's story, chapter by chapter."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from hybridmem.dreaming import recipes
from hybridmem.evaluation import plots
from hybridmem.evaluation.demo import chapters, days, figures
from hybridmem.evaluation.demo.arm import Arm
from hybridmem.evaluation.demo.comparison import Comparison, compare
from hybridmem.evaluation.demo.console import DemoConsole
from hybridmem.evaluation.demo.days import Days
from hybridmem.evaluation.report import Figure, write_report
from hybridmem.evaluation.terminal import retention_table
from hybridmem.memory import HybridMemory
from hybridmem.models.base import LanguageModel

NAMESPACE = ("demo", "nora")


def run(
    folder: Path,
    console: Console,
    *,
    quick: bool = False,
    model: str | LanguageModel | None = None,
    embedder: str | None = None,
) -> dict[str, Any]:
    """Tell the story in `folder`, which keeps the memories and the report; returns every figure, as JSON values.

    `model` and `embedder` are as `HybridMemory.open` takes them; by default the bundled ones.

    `quick` leaves out the third night and the nights without replay."""
    plots.require()
    started = time.monotonic()
    log, demo = days.load(), DemoConsole(console)
    with HybridMemory.open(folder / "memory", namespace=NAMESPACE, model=model, embedder=embedder) as memory:
        first = _first_day_and_night(demo, memory, log)
        loaded, vectors = memory.model, memory.indexes.embedder

    def open_memory(place: Path) -> HybridMemory:
        return HybridMemory.open(place, namespace=NAMESPACE, model=loaded, embedder=vectors)

    # While nobody has it open: the memory that nights without replay start from.
    after_first = None if quick else shutil.copytree(folder / "memory", folder / "after-night-1")
    with open_memory(folder / "memory") as memory:
        arm = _other_nights(demo, first.continued(memory), log, 2 if quick else len(log.logs))
        kept = arm.result(log.unanswerable)
        comparison = compare(demo, first, arm, kept, after_first, log, open_memory) if after_first else None
        end = _changes_and_refusals(demo, memory, log, arm, folder)
        story = Story(arm, kept, comparison, end)
        seconds = time.monotonic() - started
        report = _report(demo, story, folder, figures.environment(memory, seconds))
    figures.closing(demo, story.figures, report, seconds)
    return {**story.to_json(), "seconds": seconds, "report": str(report)}


@dataclass(frozen=True, slots=True)
class End:
    """What the last chapters measured."""

    figures: list[Figure]
    routes: dict[str, float]
    """How many questions each route answered."""
    prompt_tokens: dict[str, float]
    """Of a question, by the way of answering it."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that was measured."""

    arm: Arm
    kept: dict[str, Any]
    comparison: Comparison | None
    end: End

    @property
    def figures(self) -> list[Figure]:
        return [*figures.nights(self.arm, self.comparison), *self.end.figures]

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """By arm, as the report names it."""
        return self.comparison.results if self.comparison else {"with replay": self.kept}

    def to_json(self) -> dict[str, Any]:
        return {
            "figures": {figure.name: figure.value for figure in self.figures},
            "met": {figure.name: figure.met for figure in self.figures if figure.met is not None},
            "results": {result["strategy"]: result for result in self.results.values()},
            "compared": self.comparison.explanation if self.comparison else None,
            "routes": self.end.routes,
            "prompt_tokens": self.end.prompt_tokens,
        }


def _first_day_and_night(demo: DemoConsole, memory: HybridMemory, log: Days) -> Arm:
    arm = Arm(memory, recipes.load(recipes.DEFAULT, memory.model.name))
    demo.say("One memory, some days, some nights", chapters.opening(memory))
    chapters.first_day(demo, memory, log)
    chapters.night(demo, arm, log, 0)
    chapters.weights_alone(demo, memory, log)
    return arm


def _other_nights(demo: DemoConsole, arm: Arm, log: Days, nights: int) -> Arm:
    for number in range(1, nights):
        demo.add(arm.memory, log.logs[number])
        chapters.night(demo, arm, log, number)
    demo.console.print(retention_table(arm.R, title="What each night kept, with replay, behind the gate"))
    return arm


def _changes_and_refusals(demo: DemoConsole, memory: HybridMemory, log: Days, arm: Arm, folder: Path) -> End:
    routes, by_router = chapters.left_to_the_router(memory, log, len(arm.nights))
    fresh = chapters.a_fact_changes(demo, memory, log)
    deletion = chapters.a_memory_is_deleted(demo, memory, log, folder)
    refused = chapters.unanswerable(demo, memory, log)
    costs = chapters.costs(memory, log, arm)
    tokens = {"by reading": costs.retrieval_prompt_tokens, "from the weights": costs.weights_prompt_tokens}
    return End(
        figures=figures.changes(by_router, fresh, deletion, refused, costs),
        routes=routes,
        prompt_tokens={way: mean for way, mean in tokens.items() if mean is not None},
    )


def _report(demo: DemoConsole, story: Story, folder: Path, environment: dict[str, object]) -> Path:
    return write_report(
        folder / "report.html",
        "hybridmem: a few days and nights",
        demo.blocks,
        story.figures,
        results=story.results,
        routes=[story.end.routes],
        prompt_tokens=story.end.prompt_tokens,
        environment=environment,
    )
