"""A scheduler in a process of its own, whose clock is a file.

``python -m tests.schedule.driver FOLDER CLOCK RUNNER RECIPE MODEL NAMESPACE...``"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from hybridmem import HybridMemory
from hybridmem.core.clock import utc_now
from hybridmem.core.namespace import checked_namespace
from hybridmem.jobs import DreamJobs
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.log import ScheduleLog
from hybridmem.schedule.loop import forever
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.scheduler import Scheduler
from tests.jobs import quick_runner
from tests.schedule import brief_runner

RUNNERS = {"quick": quick_runner.RUNNER, "brief": brief_runner.RUNNER}
EVERY = timedelta(seconds=0.1)


class FileClock:
    """The time that a file says."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text())

    def set(self, text: str) -> None:
        half = self.path.with_suffix(".half")
        half.write_text(datetime.fromisoformat(text + "+00:00").isoformat())
        half.replace(self.path)


def main(folder: str, clock_file: str, runner: str, recipe: str, model: str, *names: str) -> None:
    clock = FileClock(Path(clock_file))
    # The lives of jobs are measured by the clock on the wall, as those of their processes are.
    with HybridMemory.open(folder, model=model, embedder="hashing", vectors="memory", clock=utc_now) as memory:
        plan = SchedulePlan(Cron.nightly("03:00", "UTC"), tuple(map(checked_namespace, names)), recipe=recipe)
        log = ScheduleLog(clock, "UTC", Path(clock_file).with_name(f"log-{os.getpid()}.jsonl"))
        jobs = DreamJobs(memory, at_once=4, runner=RUNNERS[runner])
        forever(Scheduler(memory, plan, jobs, clock, log), log, EVERY)


def said(place: Path, event: str) -> list[dict[str, object]]:
    """What all schedulers with clocks in `place` said of `event`."""
    lines = [json.loads(line) for path in sorted(place.glob("log-*.jsonl")) for line in path.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


if __name__ == "__main__":
    main(*sys.argv[1:])
