"""What calls a scheduler's `tick`: APScheduler without end, or a plain loop until nothing is due."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from hybridmem.core.errors import MissingExtra
from hybridmem.schedule.log import ScheduleLog
from hybridmem.schedule.scheduler import Scheduler

try:
    from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.blocking import BlockingScheduler
    from apscheduler.triggers.interval import IntervalTrigger
except ImportError:
    raise MissingExtra("a schedule needs APScheduler: pip install 'hybridmem[schedule]'") from None

EVERY = timedelta(seconds=5)
"""Time between two ticks. The clock is polled, so that a suspended machine, a changed clock and a restart need no
special case."""

AHEAD = timedelta(minutes=1)


def forever(scheduler: Scheduler, log: ScheduleLog, every: timedelta = EVERY) -> None:
    """Run every night until SIGINT or SIGTERM. These stop the running dreams, and the next start resumes them. Raises
    what `Scheduler.tick` does not expect."""
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    clockwork = BlockingScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(1)})
    failures: list[BaseException] = []

    def failed(event: JobExecutionEvent) -> None:
        failures.append(event.exception)
        clockwork.shutdown(wait=False)

    clockwork.add_listener(failed, EVENT_JOB_ERROR)
    # One tick is enough for whatever was missed while the machine slept.
    clockwork.add_job(scheduler.tick, IntervalTrigger(seconds=every.total_seconds()), coalesce=True, max_instances=1)
    with _stopped_by_signals():
        try:
            scheduler.tick()
            clockwork.start()
        except KeyboardInterrupt:
            log.write("stop", None, "stopping")
            if clockwork.running:
                clockwork.shutdown(wait=True)
        scheduler.stop()
    if failures:
        raise failures[0]


def once(scheduler: Scheduler, log: ScheduleLog, every: timedelta = EVERY) -> None:
    """Run what is due, with its retries, and return. A night due within a minute is waited for: the clock of the
    scheduler that started this may be ahead."""
    until = scheduler.clock() + AHEAD
    with _stopped_by_signals():
        try:
            scheduler.tick()
            while not scheduler.at_rest(until):
                time.sleep(every.total_seconds())
                scheduler.tick()
        except KeyboardInterrupt:
            log.write("stop", None, "stopping")
        scheduler.stop()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Handle SIGTERM as Ctrl-C, even where a shell had Ctrl-C ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
