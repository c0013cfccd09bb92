"""``python -m hybridmem.jobs.runner FOLDER NAMESPACE JOB LOCK``: the process of one dream job.

It waits for its turn, dreams, and writes down what became of it. SIGINT and SIGTERM stop it as Ctrl-C stops a dream.
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
from hybridmem.core.records import DreamReport
from hybridmem.core.version import VERSION
from hybridmem.jobs.budget import Budget
from hybridmem.jobs.dream_jobs import LEDGER_VARIABLE
from hybridmem.jobs.finalize import BEAT_SECONDS, settled
from hybridmem.jobs.liveness import is_held, take
from hybridmem.jobs.record import JobFiles, JobRecord
from hybridmem.memory import HybridMemory
from hybridmem.models.huggingface.free_memory import peak_memory_mb

TURN_SECONDS = 0.5
"""How often a job that waits looks whether its turn has come."""
GRACE_SECONDS = 60.0
"""After being told to stop, a dream has so long to come to a point where it can; then the process is killed, which a
dream survives as it survives a power cut."""


class JobLog:
    """The job's record, written by two threads in turn."""

    def __init__(self, files: JobFiles, record: JobRecord) -> None:
        self.files = files
        self.record = record
        self._writing = threading.Lock()

    def note(self, *, durable: bool = True, **changes: Any) -> None:
        """Change the record, here and on disk; an end that is written stays."""
        with self._writing:
            if self.record.open:
                self.record = replace(self.record, beat_at=utc_now(), peak_memory_mb=peak_memory_mb(), **changes)
                self.files.write(self.record, durable=durable)


class Watchdog(threading.Thread):
    """Says that the process lives, and interrupts it when somebody asks for that or its budget is used up."""

    def __init__(self, diary: JobLog) -> None:
        super().__init__(daemon=True)
        self._diary = diary
        self._over = threading.Event()
        self._began: float | None = None
        self._told_at: float | None = None

    def begin(self) -> None:
        """The budget's seconds count from now."""
        self._began = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            if self._told_at is None:
                self._look()
            elif time.monotonic() - self._told_at > GRACE_SECONDS:
                os.kill(os.getpid(), signal.SIGKILL)
            self._diary.note(durable=False)

    def _look(self) -> None:
        excess = None
        if self._began is not None:
            seconds = time.monotonic() - self._began
            excess = self._diary.record.budget.excess(seconds, resident_bytes())
        if excess is not None:
            self._diary.note(stopping=f"the dream was stopped: {excess}; the next one resumes it")
        if excess is not None or self._diary.files.asked_to_stop(self._diary.record.id):
            self._told_at = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

    def end(self) -> None:
        self._over.set()
        self.join()


def main(arguments: Sequence[str]) -> int:
    """Returns 0 once the job's end is written down, whatever it is."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    root, namespace, id, held = arguments
    os.set_inheritable(int(held), False)
    folder = prepare(Path(root), VERSION)
    files = JobFiles(folder, checked_namespace(namespace))
    diary = JobLog(files, files.read(id))
    watch = Watchdog(diary)
    watch.start()
    try:
        with turn(folder, diary):
            report = dream(folder, diary, watch)
    except (KeyboardInterrupt, DreamInterrupted):
        _ignore_signals()
        watch.end()
        _settle(folder, diary)
    except (HybridMemError, OSError) as error:
        _ignore_signals()
        watch.end()
        diary.note(status="failed", ended_at=utc_now(), error=str(error), error_type=type(error).__name__)
    else:
        _ignore_signals()
        watch.end()
        if report is not None:
            diary.note(status="completed", ended_at=utc_now(), dream=report.id, stopping=None)
        files.log(id).unlink(missing_ok=True)
    files.let_go(id)
    return 0


def dream(folder: MemoryFolder, diary: JobLog, watch: Watchdog) -> DreamReport | None:
    """Dream; None when the budget refused. Raises what `HybridMemory.dream` does."""
    record = diary.record
    diary.note(status="running", started_at=utc_now())
    watch.begin()
    with _opened(folder, record) as memory:
        if (refusal := _refusal(memory, record.budget, record.recipe)) is not None:
            diary.note(status="canceled", ended_at=utc_now(), error=f"the dream was not begun: {refusal}")
            return None
        while True:
            try:
                return memory.dream(recipe=record.recipe)
            except DreamBusy:
                # Somebody was quicker between the look at the lock and the dream.
                time.sleep(TURN_SECONDS)


@contextmanager
def turn(folder: MemoryFolder, diary: JobLog) -> Iterator[None]:
    """The job's turn: one of the folder's places, once no older job of its namespace waits and nobody dreams it."""
    while (place := _place(folder, diary)) is None:
        _stop_if_asked(diary)
        time.sleep(TURN_SECONDS)
    try:
        _stop_if_asked(diary)
        yield
    finally:
        os.close(place)


def _stop_if_asked(diary: JobLog) -> None:
    if diary.files.asked_to_stop(diary.record.id):
        raise DreamInterrupted("the job was canceled before its dream began")


def _place(folder: MemoryFolder, diary: JobLog) -> int | None:
    record = diary.record
    if any(id < record.id and diary.files.alive(id) for id in diary.files.ids()):
        return None
    for number in range(record.at_once):
        held = take(folder.locks / f"dreaming-{number}.lock")
        if held is None:
            continue
        if not is_held(folder.dream_lock(record.namespace)):
            return held
        os.close(held)
        return None
    return None


def _opened(folder: MemoryFolder, record: JobRecord) -> HybridMemory:
    return HybridMemory.open(
        folder.root,
        namespace=record.namespace,
        model=record.model,
        embedder=record.embedder,
        ledger=os.environ.get(LEDGER_VARIABLE),
    )


def _refusal(memory: HybridMemory, budget: Budget, recipe: str) -> str | None:
    if budget.memory_gb is not None:
        from hybridmem.models.resource_estimate import resource_estimate

        told = resource_estimate(memory._model if isinstance(memory._model, str) else None)
        if told is not None and (told.weights_gb or 0.0) > budget.memory_gb:
            return f"the model's weights alone take {told.weights_gb:.2f} GB, and the budget is {budget.memory_gb:g} GB"
    if budget.tokens is None:
        return None
    return budget.refusal(memory.dream(dry_run=True, recipe=recipe))


def _settle(folder: MemoryFolder, diary: JobLog) -> None:
    """After an interruption: the dream may have come to its report just before."""
    with _opened(folder, diary.record) as memory:
        end = settled(diary.record, diary.files, memory.ledger, utc_now())
    if end.status == "failed":
        # Nobody asked by a file: the signal came from outside.
        end = replace(end, status="canceled", error=None)
    diary.note(status=end.status, ended_at=utc_now(), dream=end.dream, error=end.error)


def resident_bytes() -> int:
    """Main memory that this process holds; elsewhere than on Linux, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return int(peak_memory_mb() * 2**20)
    return pages * os.sysconf("SC_PAGE_SIZE")


def _ignore_signals() -> None:
    """What remains is to write down the end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
