"""``python -m hybridmem.jobs.runner FOLDER NAMESPACE JOB LOCK``: the process of one dream job.

It waits for its turn, dreams, and records how it ended. SIGINT and SIGTERM stop it as Ctrl-C stops a dream.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import DreamBusy, DreamInterrupted, HybridMemError
from hybridmem.core.folder import MemoryFolder, prepare
from hybridmem.core.namespace import checked_namespace
from hybridmem.core.process import peak_memory_mb
from hybridmem.core.progress import ProgressLines
from hybridmem.core.records import DreamReport
from hybridmem.core.version import VERSION
from hybridmem.jobs.budget import Budget
from hybridmem.jobs.dream_jobs import BACKEND_VARIABLES, LEDGER_VARIABLE
from hybridmem.jobs.finalize import BEAT_SECONDS, finalized
from hybridmem.jobs.liveness import is_held, take
from hybridmem.jobs.record import JobFiles, JobRecord
from hybridmem.jobs.webhook import announce
from hybridmem.memory import HybridMemory

TURN_SECONDS = 0.5
"""How often a waiting job checks whether its turn has come."""
NICENESS = 10
"""Added to the nice value of the process."""
GRACE_SECONDS = 60.0
"""Time for an interrupted dream to come to a point where it can stop. After it the process is killed, which a dream
survives as it survives a power cut."""


class JobLog:
    """The job's record, which two threads write in turn."""

    def __init__(self, files: JobFiles, record: JobRecord) -> None:
        self.files = files
        self.record = record
        self._writing = threading.Lock()

    def note(self, *, durable: bool = True, **changes: Any) -> None:
        """Change the record here and on disk; a recorded end stays."""
        with self._writing:
            if self.record.open:
                self.record = replace(self.record, beat_at=utc_now(), peak_memory_mb=peak_memory_mb(), **changes)
                self.files.write(self.record, durable=durable)


class Watchdog(threading.Thread):
    """Records that the process lives, and interrupts it on request or when its budget is used up."""

    def __init__(self, log: JobLog) -> None:
        super().__init__(daemon=True)
        self._log = log
        self._over = threading.Event()
        self._began: float | None = None
        self._interrupted_at: float | None = None

    def begin(self) -> None:
        """Count the budget's seconds from now."""
        self._began = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            if self._interrupted_at is None:
                self._look()
            elif time.monotonic() - self._interrupted_at > GRACE_SECONDS:
                os.kill(os.getpid(), signal.SIGKILL)
            self._log.note(durable=False)

    def _look(self) -> None:
        excess = None
        if self._began is not None:
            seconds = time.monotonic() - self._began
            excess = self._log.record.budget.excess(seconds, resident_bytes())
        if excess is not None:
            self._log.note(stopping=f"the dream was stopped: {excess}; the next one resumes it")
        if excess is not None or self._log.files.asked_to_stop(self._log.record.id):
            self._interrupted_at = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

    def end(self) -> None:
        self._over.set()
        self.join()


def main(arguments: Sequence[str]) -> int:
    """Returns 0 once the job's end is recorded, whatever it is."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # Whoever waits for an answer goes first; this process has nobody who waits for it.
    os.nice(NICENESS)
    root, namespace, id, lock = arguments
    os.set_inheritable(int(lock), False)
    folder = prepare(Path(root), VERSION)
    files = JobFiles(folder, checked_namespace(namespace))
    log = JobLog(files, files.read(id))
    watchdog = Watchdog(log)
    watchdog.start()
    report: DreamReport | None = None
    try:
        with turn(folder, log):
            report = dream(folder, log, watchdog)
    except (KeyboardInterrupt, DreamInterrupted):
        _ignore_signals()
        watchdog.end()
        _finalize(folder, log)
    except (HybridMemError, OSError) as error:
        _ignore_signals()
        watchdog.end()
        log.note(status="failed", ended_at=utc_now(), error=str(error), error_type=type(error).__name__)
    else:
        _ignore_signals()
        watchdog.end()
        if report is not None:
            log.note(status="completed", ended_at=utc_now(), dream=report.id, stopping=None)
        files.log(id).unlink(missing_ok=True)
    files.let_go(id)
    ended = report if report is not None else log.record.status
    if (lost := announce(log.record.namespace, utc_now(), ended, log.record.error or "")) is not None:
        _to_log(lost)
    return 0


def dream(folder: MemoryFolder, log: JobLog, watchdog: Watchdog) -> DreamReport | None:
    """Dream; None if the budget refused it. Raises the errors of `HybridMemory.dream`."""
    record = log.record
    log.note(status="running", started_at=utc_now())
    watchdog.begin()
    with _opened(folder, record) as memory:
        if (refusal := _refusal(memory, record.budget, record.recipe)) is not None:
            log.note(status="canceled", ended_at=utc_now(), error=f"the dream was not begun: {refusal}")
            return None
        while True:
            try:
                return memory.dream(recipe=record.recipe, progress=ProgressLines(_to_log))
            except DreamBusy:
                # Another process began a dream between the check of the lock and this one.
                time.sleep(TURN_SECONDS)


def _to_log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def turn(folder: MemoryFolder, log: JobLog) -> Iterator[None]:
    """The job's turn: one of the folder's slots, once no older job of its namespace waits and no dream of it runs."""
    while (place := _place(folder, log)) is None:
        _stop_if_asked(log)
        time.sleep(TURN_SECONDS)
    try:
        _stop_if_asked(log)
        yield
    finally:
        os.close(place)


def _stop_if_asked(log: JobLog) -> None:
    if log.files.asked_to_stop(log.record.id):
        raise DreamInterrupted("the job was canceled before its dream began")


def _place(folder: MemoryFolder, log: JobLog) -> int | None:
    record = log.record
    if any(id < record.id and log.files.alive(id) for id in log.files.ids()):
        return None
    for number in range(record.at_once):
        lock = take(folder.locks / f"dreaming-{number}.lock")
        if lock is None:
            continue
        if not is_held(folder.dream_lock(record.namespace)):
            return lock
        os.close(lock)
        return None
    return None


def _opened(folder: MemoryFolder, record: JobRecord) -> HybridMemory:
    given: dict[str, Any] = {part: os.environ.get(variable) for part, variable in BACKEND_VARIABLES.items()}
    return HybridMemory.open(
        folder.root,
        namespace=record.namespace,
        model=record.model,
        embedder=record.embedder,
        ledger=os.environ.get(LEDGER_VARIABLE),
        **given,
    )


def _refusal(memory: HybridMemory, budget: Budget, recipe: str) -> str | None:
    if budget.memory_gb is not None:
        from hybridmem.models.resource_estimate import resource_estimate

        model = memory.workspace.resources.backends.model
        estimate = resource_estimate(model if isinstance(model, str) else None)
        if estimate is not None and (estimate.weights_gb or 0.0) > budget.memory_gb:
            needed = f"the model's weights alone take {estimate.weights_gb:.2f} GB"
            return f"{needed}, and the budget is {budget.memory_gb:g} GB"
    if budget.tokens is None:
        return None
    return budget.refusal(memory.dream(dry_run=True, recipe=recipe))


def _finalize(folder: MemoryFolder, log: JobLog) -> None:
    """Record the end of an interrupted job: its dream may have left its report just before."""
    with _opened(folder, log.record) as memory:
        end = finalized(log.record, log.files, memory.ledger, utc_now())
    if end.status == "failed":
        # There is no request in a file: the signal came from outside.
        end = replace(end, status="canceled", error=None)
    log.note(status=end.status, ended_at=utc_now(), dream=end.dream, error=end.error)


def resident_bytes() -> int:
    """Bytes of main memory that this process holds; outside of Linux, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return int(peak_memory_mb() * 2**20)
    return pages * os.sysconf("SC_PAGE_SIZE")


def _ignore_signals() -> None:
    """Nothing but recording the end is left to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
