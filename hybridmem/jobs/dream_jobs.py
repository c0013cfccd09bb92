"""`DreamJobs`: start a dream in its own process, look at its state, stop it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import DreamBusy, InvalidInput, ModelError, StoreError, UnknownDream
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import DreamReport, ReaderUsage, new_id
from hybridmem.jobs.budget import Budget
from hybridmem.jobs.finalize import finalized
from hybridmem.jobs.job import DreamJob
from hybridmem.jobs.liveness import is_held, take
from hybridmem.jobs.record import JobFiles, JobRecord

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

RUNNER = (sys.executable, "-P", "-m", "hybridmem.jobs.runner")
"""With -P: Python would import from the working directory first, and run a calendar.py that lies there."""
LEDGER_VARIABLE = "HYBRIDMEM_LEDGER"
"""Environment variable with the URL of a ledger outside the folder. The URL may hold a password, so it is in no command
line and in no file."""
BACKEND_VARIABLES = {
    "vectors": "HYBRIDMEM_VECTORS",
    "lexical": "HYBRIDMEM_LEXICAL",
    "graph": "HYBRIDMEM_GRAPH",
    "reader": "HYBRIDMEM_READER",
}
"""Environment variables with the names of the indexes and of the reader that the memory was opened with."""
PART_NOUNS = {"vectors": "vector index", "lexical": "full-text index", "graph": "graph index", "reader": "reader"}
KEPT = 50
"""Ended jobs kept for each namespace; the reports themselves stay in the ledger."""
MOST_OPEN = 64
"""Jobs of one folder that may wait or run at once."""
STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class DreamJobs:
    """The jobs of every namespace in `memory`'s folder, also those that other processes started.

    Up to `at_once` dreams run at the same time, each in its own process, which outlives this one. `ledger` is the URL
    of the memory's ledger, if the memory was opened with an object instead. `runner` is the command that dreams."""

    def __init__(
        self,
        memory: HybridMemory,
        *,
        at_once: int = 1,
        ledger: str | None = None,
        runner: Sequence[str] = RUNNER,
    ) -> None:
        self._memory = memory
        self._at_once = at_once
        self._ledger_url = ledger
        self._runner = tuple(runner)
        self._starting = threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        namespace: Namespace,
        recipe: str = "default",
        *,
        budget: Budget | None = None,
        id: str | None = None,
    ) -> DreamJob:
        """Start a dream, which waits for its turn while another one has the namespace. `id` is one that the caller
        recorded before, so that it finds the job again if it is killed during this call.

        Raises `InvalidInput` for an unknown recipe, `ModelError` if the memory's model or embedder is an object of this
        process, and `DreamBusy` if too many jobs are open."""
        from hybridmem.dreaming import recipes

        namespace = checked_namespace(namespace)
        recipes.load(recipe)
        backends = self._memory.workspace.resources.backends
        record = JobRecord(
            id=id or new_id("job"),
            namespace=namespace,
            status="pending",
            created_at=self._memory.clock(),
            recipe=str(Path(recipe).absolute()) if recipe.endswith(".toml") else recipe,
            model=_by_name(backends.model, "model"),
            embedder=_by_name(backends.embedder, "embedder"),
            at_once=self._at_once,
            budget=budget or Budget(),
        )
        environment = self._environment()
        files = self._files(namespace)
        with self._starting:
            self._reap()
            if self._open() >= MOST_OPEN:
                raise DreamBusy(f"{MOST_OPEN} dreams of this memory wait or run: let some end, or cancel some")
            files.make()
            files.prune(KEPT)
            self._spawn(files, record, environment)
        return self._job(record)

    def get(self, namespace: Namespace, id: str) -> DreamJob:
        """The present state of a job. Raises `UnknownDream`."""
        return self._job(self._current(self._files(namespace), id))

    def list(self, namespace: Namespace) -> list[DreamJob]:
        """The namespace's jobs, newest first: open ones, and up to `KEPT` ended ones."""
        files = self._files(namespace)
        found = []
        for id in files.ids():
            try:
                found.append(self._current(files, id))
            except UnknownDream:
                continue
        reports = {report.id: report for report in self._memory.ledger.dreams(files.namespace)} if found else {}
        return [_to_job(record, reports.get(record.dream or "")) for record in found]

    def cancel(self, namespace: Namespace, id: str, *, seconds: float = STOP_SECONDS) -> DreamJob:
        """Ask a job to stop, and wait up to `seconds` for it. Nothing is promoted, and the next dream resumes the
        interrupted one. A job that has ended stays as it is. Raises `UnknownDream`."""
        files = self._files(namespace)
        record = self._current(files, id)
        if record.open:
            files.ask_to_stop(id)
        return self.wait(namespace, id, seconds=seconds)

    def wait(self, namespace: Namespace, id: str, *, seconds: float) -> DreamJob:
        """The job once it has ended, or after `seconds`. Raises `UnknownDream`."""
        until = time.monotonic() + seconds
        while True:
            job = self.get(namespace, id)
            if not job.open or time.monotonic() >= until:
                return job
            time.sleep(_LOOK_SECONDS)

    # ---- within

    def _files(self, namespace: Namespace) -> JobFiles:
        return JobFiles(self._memory.folder, checked_namespace(namespace))

    def _current(self, files: JobFiles, id: str) -> JobRecord:
        """The record. If its process is gone, its end is written first."""
        record = files.read(id)
        if not record.open or files.alive(id):
            return record
        # The job may have ended between the two checks.
        record = files.read(id)
        if record.open:
            record = finalized(record, files, self._memory.ledger, self._memory.clock())
            files.write(record)
            files.let_go(id)
        return record

    def _job(self, record: JobRecord) -> DreamJob:
        reports = self._memory.ledger.dreams(record.namespace) if record.dream else []
        return _to_job(record, next((report for report in reports if report.id == record.dream), None))

    def _open(self) -> int:
        """The number of jobs in the folder that wait or run."""
        places = (self._memory.folder.root / "jobs").glob("*/job_*.lock")
        return sum(map(is_held, places))

    def _environment(self) -> dict[str, str]:
        backends = self._memory.workspace.resources.backends
        ledger = self._ledger_url
        if ledger is None and backends.ledger is not None:
            if backends.ledger == "memory" or not isinstance(backends.ledger, str | Path):
                raise StoreError(
                    "a dream runs in a process of its own, which cannot be given this memory's ledger: open the memory "
                    "with a ledger's URL, or pass one as DreamJobs(memory, ledger=URL)"
                )
            ledger = _by_name(backends.ledger, "ledger")
        given = {LEDGER_VARIABLE: ledger}
        for part, variable in BACKEND_VARIABLES.items():
            given[variable] = _by_name(getattr(backends, part), PART_NOUNS[part])
        kept = {name: value for name, value in os.environ.items() if name not in given}
        if "PYTHONPATH" in kept:
            # An empty entry means the working directory.
            kept["PYTHONPATH"] = os.pathsep.join(filter(None, kept["PYTHONPATH"].split(os.pathsep)))
        return {**kept, **{name: value for name, value in given.items() if value is not None}}

    def _spawn(self, files: JobFiles, record: JobRecord, environment: dict[str, str]) -> None:
        lock = take(files.lock(record.id)) if record.id not in files.ids() else None
        if lock is None:
            raise InvalidInput(f"the job {record.id} is there already: leave the id out to get a new one")
        try:
            files.write(record)
            # The child inherits the open file and with it the lock, so that the lock is held at every moment.
            with files.log(record.id).open("wb") as log:
                child = subprocess.Popen(  # noqa: S603
                    [
                        *self._runner,
                        str(self._memory.folder.root.absolute()),
                        "/".join(record.namespace),
                        record.id,
                        str(lock),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        finally:
            os.close(lock)
        self._children.append(child)

    def _reap(self) -> None:
        """Forget the children that have ended."""
        self._children = [child for child in self._children if child.poll() is None]


def _by_name(value: object, what: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Path):
        return str(value.absolute())
    raise ModelError(
        f"a dream runs in a process of its own, which cannot be given this memory's {what} ({type(value).__name__}): "
        f"open the memory with the {what}'s name or folder"
    )


def _to_job(record: JobRecord, report: DreamReport | None) -> DreamJob:
    until = record.ended_at or record.beat_at
    seconds = (until - record.started_at).total_seconds() if record.started_at and until else 0.0
    return DreamJob(
        id=record.id,
        namespace=record.namespace,
        status=record.status,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        recipe=record.recipe,
        report=report,
        error=record.error,
        error_type=record.error_type,
        usage={
            "seconds": max(0.0, seconds),
            "trained_tokens": float(report.trained_tokens) if report else 0.0,
            "peak_memory_mb": report.peak_memory_mb if report else record.peak_memory_mb,
            **_reader_usage(report),
        },
    )


def _reader_usage(report: DreamReport | None) -> dict[str, float]:
    took = (report.reader if report else None) or ReaderUsage()
    return {
        "reader_calls": float(took.calls),
        "reader_prompt_tokens": float(took.prompt_tokens),
        "reader_completion_tokens": float(took.completion_tokens),
        "reader_cost": took.cost or 0.0,
    }
