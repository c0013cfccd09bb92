"""One lifecycle of a stream: a memory is given a day's facts and deletions, and dreams; then comes the next day.

Every benchmark that dreams lives through its stream here, so that "a night" means the same in all of them:

    life = Lifecycle(memory, dream_recipe(strategies.get("replay"), "default"))
    for night in stream.nights:
        life.live(night, stream.on(night))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hybridmem.core.progress import Progress, quiet
from hybridmem.core.records import DreamReport, Episode
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recipes import GateSettings, Recipe
from hybridmem.evaluation.stream import StreamDelete, StreamFact

if TYPE_CHECKING:
    from hybridmem.continual.base import Strategy


class Memory(Protocol):
    """The part of `HybridMemory` that a stream happens to."""

    def add(self, text: str, /) -> list[Episode]: ...

    def delete(self, id: str, /) -> Any: ...

    def dream(self, *, recipe: Recipe, progress: Progress) -> DreamReport: ...


@dataclass(frozen=True, slots=True)
class Night:
    """What happened on a day and in the night after it, and what that cost."""

    night: int
    added: int
    """Facts that the memory was given."""
    deleted: int
    seconds: float
    """Adding, deleting and dreaming."""
    report: DreamReport | None
    """None where the memory does not dream."""

    @property
    def verdict(self) -> str:
        return self.report.status if self.report else "nothing"

    @property
    def trained_tokens(self) -> int:
        return self.report.trained_tokens if self.report else 0

    @property
    def adapter(self) -> str | None:
        """The version that this night promoted."""
        return self.report.adapter if self.report and self.report.status == "promoted" else None


class Lifecycle:
    """One memory's days and nights, under one recipe; with None it never dreams."""

    def __init__(
        self,
        memory: Memory,
        recipe: Recipe | None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.memory, self.recipe = memory, recipe
        self.nights: list[Night] = []
        self._clock = clock
        self.episodes: dict[str, list[str]] = {}
        """Ids of the episodes that state a fact, by the fact: of those that were told and not deleted."""

    def live(
        self, night: int, events: Sequence[StreamFact | StreamDelete] = (), *, progress: Progress = quiet
    ) -> Night:
        """A day with its `events`, and the night after it. Only a fact's text reaches the memory."""
        started = self._clock()
        self.tell(events)
        report = None
        if self.recipe is not None:
            report = self.memory.dream(recipe=self.recipe, progress=progress)
        added = sum(isinstance(event, StreamFact) for event in events)
        lived = Night(night, added, len(events) - added, self._clock() - started, report)
        self.nights.append(lived)
        return lived

    def tell(self, events: Sequence[StreamFact | StreamDelete]) -> None:
        """The `events` of a day. What of them has happened already does not happen again."""
        for event in events:
            if isinstance(event, StreamDelete):
                for id in self.episodes.pop(event.fact, ()):
                    self.memory.delete(id)
            elif event.id not in self.episodes:
                self.episodes[event.id] = [episode.id for episode in self.memory.add(event.text)]


def dream_recipe(strategy: Strategy, base: str | Path | Recipe = "default", *, gate: bool | None = None) -> Recipe:
    """The recipe `base` with `strategy` in the place of its own, and with or without a gate; None leaves the gate as
    `base` has it.

    A gate that `base` lacks gets the bounds of `GateSettings`. Raises `InvalidInput` for an unknown recipe."""
    recipe = base if isinstance(base, Recipe) else recipes.load(base)
    bounds = recipe.gate if gate is None else (recipe.gate or GateSettings()) if gate else None
    return replace(recipe, strategy=strategy.name, gate=bounds)
