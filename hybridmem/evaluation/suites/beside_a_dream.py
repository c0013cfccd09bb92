"""How much a running dream slows the adds and searches of its own process: an agent's turns before it and during it."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput
from hybridmem.embedding.base import Embedder

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory
    from hybridmem.models.base import LanguageModel

TARGET = 1.5
"""The median of a call during a dream, in units of its median while nothing else runs."""
PEOPLE = ("Ana", "Rui", "Eva", "Tom", "Ida", "Max", "Lea", "Ben", "Zoe", "Kai")
PLACES = ("Porto", "Riga", "Oslo", "Rome", "Bern", "Graz", "Lima", "Turin", "Ghent", "Cork")
PAUSE_SECONDS = 0.2
"""Between two turns: an agent waits for its user."""


@dataclass(frozen=True, slots=True)
class CallTimes:
    """Medians of one kind of call."""

    idle_ms: float
    dreaming_ms: float

    @property
    def ratio(self) -> float:
        return self.dreaming_ms / self.idle_ms


@dataclass(frozen=True, slots=True)
class BesideReport:
    """Figures of one process on one machine."""

    idle_turns: int
    dreaming_turns: int
    add: CallTimes
    search: CallTimes
    ratios: dict[str, float]
    """The dream's median over the idle one, by call. The target is at most `TARGET`."""
    dream_seconds: float
    dream_status: str
    load: float
    """The machine's load average of the last minute when it began, over its cores: near 0, or the figures say more of
    other work than of the dream."""
    machine: str


def run(
    *,
    memories: int = 300,
    turns: int = 40,
    model: str | LanguageModel | None = None,
    embedder: str | Embedder | None = None,
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> BesideReport:
    """Fill a temporary memory (within `folder`, or the system's) with `memories` texts, take `turns` turns of an add
    and a search, then go on taking turns for as long as a dream of that memory runs. Raises `InvalidInput`."""
    if memories < 1 or turns < 3:
        raise InvalidInput("an idle time needs at least 3 turns and 1 memory: raise --turns")
    from hybridmem.evaluation.suites.speed import texts
    from hybridmem.memory import HybridMemory

    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-beside-", dir=folder) as temporary,
        HybridMemory.open(Path(temporary) / "memory", model=model, embedder=embedder) as memory,
    ):
        written = texts(memories, Random(0))  # noqa: S311
        memory.add([{"role": "user", "content": text} for text in written])
        # A dream of everything would be the training of what a fill wrote: the night learns ten facts.
        unread = memory.ledger.unextracted(memory.namespace)
        memory.ledger.mark_extracted(memory.namespace, [episode.id for episode in unread])
        for person, place in zip(PEOPLE, PLACES, strict=True):
            memory.add(f"{person} lives in {place}.")
        memory.search("Where does Ana live?")
        memory.trainable()
        return asyncio.run(_live(memory, turns, load, progress))


async def _live(
    memory: HybridMemory, turns: int, load: float, progress: Callable[[str, int, int], None]
) -> BesideReport:
    idle: list[tuple[float, float]] = []
    dreaming: list[tuple[float, float]] = []
    for number in range(turns):
        progress("idle", number + 1, turns)
        idle.append(await _turn(memory, number))
    started = time.perf_counter()
    night = asyncio.create_task(memory.adream())
    while not night.done():
        progress("dreaming", len(dreaming), 0)
        dreaming.append(await _turn(memory, turns + len(dreaming)))
    report = await night
    seconds = time.perf_counter() - started
    # The last turn may have ended after the dream.
    add, search = (_times(idle, dreaming[:-1] or dreaming, place) for place in (0, 1))
    return BesideReport(
        idle_turns=len(idle),
        dreaming_turns=len(dreaming),
        add=add,
        search=search,
        ratios={"add": add.ratio, "search": search.ratio},
        dream_seconds=seconds,
        dream_status=report.status,
        load=load,
        machine=f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
    )


async def _turn(memory: HybridMemory, number: int) -> tuple[float, float]:
    """The seconds of an add and of a search, after a pause. No two searches are for the same words."""
    await asyncio.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    await memory.aadd(f"Note {number} was written.")
    added = time.perf_counter()
    await memory.asearch(f"Where does {PEOPLE[number % len(PEOPLE)]} live, as of note {number}?")
    return added - started, time.perf_counter() - added


def _times(idle: Sequence[tuple[float, float]], dreaming: Sequence[tuple[float, float]], place: int) -> CallTimes:
    def median(turns: Sequence[tuple[float, float]]) -> float:
        return 1000 * statistics.median(turn[place] for turn in turns)

    return CallTimes(median(idle), median(dreaming))
