"""What keeps a scheduler looking at the clock: APScheduler for good, or a plain loop until nothing is due."""

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
"""Between two looks at the clock. It is looked at, and not waited for, so that a sleep of the machine, a clock that is
set, and a restart are all the same."""

AHEAD = timedelta(minutes=1)


def forever(scheduler: Scheduler, log: ScheduleLog, every: timedelta = EVERY) -> None:
    """Dream night after night until SIGINT or SIGTERM, which stop the running dreams such that the next start resumes
    them. Raises what `Scheduler.tick` does not expect."""
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    clockwork = BlockingScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(1)})
    failures: list[BaseException] = []

    def failed(event: JobExecutionEvent) -> None:
        failures.append(event.exception)
        clockwork.shutdown(wait=False)

    clockwork.add_listener(failed, EVENT_JOB_ERROR)
    # Whatever was missed while the machine slept, one look is enough.
    clockwork.add_job(scheduler.tick, IntervalTrigger(seconds=every.total_seconds()), coalesce=True, max_instances=1)
    with _stopped_by_signals():
        try:
            scheduler.tick()
            clockwork.start()
        except KeyboardInterrupt:
            log.tell("stop", None, "stopping")
            if clockwork.running:
                clockwork.shutdown(wait=True)
        scheduler.stop()
    if failures:
        raise failures[0]


def once(scheduler: Scheduler, log: ScheduleLog, every: timedelta = EVERY) -> None:
    """Dream what is due, its retries included, and return; a night that is due within a minute is waited for, as the
    clock of whoever started this may be ahead."""
    until = scheduler.clock() + AHEAD
    with _stopped_by_signals():
        try:
            scheduler.tick()
            while not scheduler.at_rest(until):
                time.sleep(every.total_seconds())
                scheduler.tick()
        except KeyboardInterrupt:
            log.tell("stop", None, "stopping")
        scheduler.stop()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM is taken as Ctrl-C is, also where a shell had Ctrl-C ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
