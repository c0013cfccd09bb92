"""Lives through a router's stream day by day, and asks before and after every dream."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.core.clock import Clock
from hybridmem.core.progress import Progress
from hybridmem.core.records import to_json
from hybridmem.core.version import VERSION
from hybridmem.dreaming import recipes
from hybridmem.evaluation.answer_sources import episodes
from hybridmem.evaluation.conditions import Conditions
from hybridmem.evaluation.lifecycle import Lifecycle
from hybridmem.evaluation.routing.asking import ask
from hybridmem.evaluation.routing.nightly import Asked, NightlyResults
from hybridmem.evaluation.routing.question import Moment
from hybridmem.evaluation.routing.stream import RouterStream, day_of

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

MORNING, AFTERNOON, NIGHT, LATER = time(9), time(16), time(22), time(23)
OpenMemory = Callable[[Path, Clock], AbstractContextManager["HybridMemory"]]
"""Opens the memory in a folder, which may be there already, with a clock."""


@dataclass(slots=True)
class StreamClock:
    """The time in the stream: it stands at what it was set to, and a second later each time that it is asked."""

    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def set(self, night: int, at: time) -> None:
        self.now = datetime.combine(day_of(night), at, UTC)


@dataclass(frozen=True, slots=True)
class Life:
    """What was asked at every moment of a stream, in order, and under which conditions."""

    moments: tuple[Asked, ...]
    conditions: Conditions


def live_through(stream: RouterStream, folder: Path, open_memory: OpenMemory, recipe: str, progress: Progress) -> Life:
    """Live through `stream` with the memory in `folder`. What `folder` holds already is not asked again: a run that
    was stopped, even by SIGKILL, goes on with the day or the night that it was in. Raises `InvalidInput` where it holds
    what was measured under other conditions."""
    clock = StreamClock()
    folder.mkdir(parents=True, exist_ok=True)
    with open_memory(folder / "memory", clock) as memory:
        life = Lifecycle(memory, None)
        life.episodes.update(_told(memory, stream))
        conditions = _conditions(memory, recipe)
        run = _Run(stream, memory, life, clock, NightlyResults(folder, stream, conditions), recipe)
        moments: list[Asked] = []
        for night in range(1, stream.nights + 1):
            moments += [run.day(night), run.night(night, progress)]
            progress("night", night, stream.nights)
        return Life(tuple(moments), conditions)


def _told(memory: HybridMemory, stream: RouterStream) -> dict[str, list[str]]:
    """The episodes that a run before this one added, by their facts."""
    by_text: dict[str, list[str]] = {}
    for episode in episodes(memory):
        by_text.setdefault(episode.text, []).append(episode.id)
    return {fact.id: by_text[fact.text] for fact in stream.facts if fact.text in by_text}


def _conditions(memory: HybridMemory, recipe: str) -> Conditions:
    model = memory.model
    chosen = to_json(recipes.load(recipe, model.name))
    base = {"model": model.name, "base_sha256": model.sha256, "embedder": memory.indexes.embedder.name}
    return {**base, "recipe": chosen, "version": VERSION}


@dataclass(frozen=True, slots=True)
class _Run:
    stream: RouterStream
    memory: HybridMemory
    life: Lifecycle
    clock: StreamClock
    results: NightlyResults
    recipe: str

    def day(self, number: int) -> Asked:
        if done := self.results.read(number, "day"):
            return done
        self.clock.set(number, MORNING)
        self.life.tell(self.stream.on(number))
        for fact in self.stream.quarantined_on(number):
            for id in self.life.episodes[fact]:
                self.memory.quarantine(id)
        self.clock.set(number, AFTERNOON)
        return self._asked(number, "day")

    def night(self, number: int, progress: Progress) -> Asked:
        if done := self.results.read(number, "night"):
            return done
        self.clock.set(number, NIGHT)
        dreamt = self.memory.dream(recipe=self.recipe, progress=progress)
        # A run that was stopped after the dream and before its questions finds nothing to dream of any more.
        reports = [dreamt, *(each for each in self.memory.dreams() if each.started_at.date() == day_of(number))]
        report = next((each for each in reports if each.status == "promoted"), dreamt)
        calibration = self.memory.router.calibration()
        self.clock.set(number, LATER)
        return self._asked(
            number,
            "night",
            {
                "seed": self.stream.seed,
                "night": number,
                "status": report.status,
                "reason": report.reason,
                "seconds": report.seconds,
                "new_facts": report.new_facts,
                "held_facts": report.held_facts,
                "trained_tokens": report.trained_tokens,
                "threshold": calibration.threshold,
                "risk": calibration.risk,
                "feasible": calibration.feasible,
            },
        )

    def _asked(self, number: int, moment: Moment, dream: dict[str, Any] | None = None) -> Asked:
        outcomes = tuple(ask(self.memory, self.stream.asked(number, moment), self.stream.seed))
        self.results.write(number, moment, outcomes, dream)
        return Asked(outcomes, dream)
