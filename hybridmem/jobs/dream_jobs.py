"""`DreamJobs`: start a dream in a process of its own, ask how it stands, stop it."""

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
from hybridmem.core.records import DreamReport, new_id
from hybridmem.jobs.budget import Budget
from hybridmem.jobs.finalize import settled
from hybridmem.jobs.job import DreamJob
from hybridmem.jobs.liveness import is_held, take
from hybridmem.jobs.record import JobFiles, JobRecord

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

RUNNER = (sys.executable, "-m", "hybridmem.jobs.runner")
LEDGER_VARIABLE = "HYBRIDMEM_LEDGER"
"""By which a runner learns of a ledger elsewhere than in the folder: the URL may hold a password, so it stands neither
in a command line nor in a file."""
KEPT = 50
"""Ended jobs of a namespace that are remembered; the reports themselves stay in the ledger for good."""
MOST_OPEN = 64
"""Jobs of one folder that wait or run."""
STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class DreamJobs:
    """The jobs of all namespaces of `memory`'s folder, those that other processes started among them.

    `at_once` dreams run at the same time, each in a process of its own that outlives this one. `ledger` is the URL that
    the memory was opened with, where it was. `runner` is the command that dreams."""

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
        """Begin a dream, which waits for its turn where another one has the namespace. `id` is one that the caller
        wrote down before, so that it finds the job again if it is killed here.

        Raises `InvalidInput` for an unknown recipe, `ModelError` for a memory whose model or embedder is an object of
        this process, and `DreamBusy` when too many jobs are open."""
        from hybridmem.dreaming import recipes

        namespace = checked_namespace(namespace)
        recipes.load(recipe)
        record = JobRecord(
            id=id or new_id("job"),
            namespace=namespace,
            status="pending",
            created_at=self._memory._clock(),
            recipe=str(Path(recipe).absolute()) if recipe.endswith(".toml") else recipe,
            model=_name(self._memory._model, "model"),
            embedder=_name(self._memory._embedder, "embedder"),
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
        """How a job stands now. Raises `UnknownDream`."""
        return self._job(self._current(self._files(namespace), id))

    def list(self, namespace: Namespace) -> list[DreamJob]:
        """The namespace's jobs, newest first: those that are open, and up to `KEPT` that have ended."""
        files = self._files(namespace)
        found = []
        for id in files.ids():
            try:
                found.append(self._current(files, id))
            except UnknownDream:
                continue
        reports = {report.id: report for report in self._memory.ledger.dreams(files.namespace)} if found else {}
        return [_shown(record, reports.get(record.dream or "")) for record in found]

    def cancel(self, namespace: Namespace, id: str, *, seconds: float = STOP_SECONDS) -> DreamJob:
        """Ask a job to stop, and wait up to `seconds` until it has: its dream is left as an interrupted one, nothing
        is promoted, and the next dream resumes it. One that has ended stays as it is. Raises `UnknownDream`."""
        files = self._files(namespace)
        record = self._current(files, id)
        if record.open:
            files.ask_to_stop(id)
        return self.wait(namespace, id, seconds=seconds)

    def wait(self, namespace: Namespace, id: str, *, seconds: float) -> DreamJob:
        """The job, once it has ended or `seconds` are over. Raises `UnknownDream`."""
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
        """The record; one whose process is gone gets its end, for good."""
        record = files.read(id)
        if not record.open or files.alive(id):
            return record
        # It may have ended between the two looks.
        record = files.read(id)
        if record.open:
            record = settled(record, files, self._memory.ledger, self._memory._clock())
            files.write(record)
            files.let_go(id)
        return record

    def _job(self, record: JobRecord) -> DreamJob:
        reports = self._memory.ledger.dreams(record.namespace) if record.dream else []
        return _shown(record, next((report for report in reports if report.id == record.dream), None))

    def _open(self) -> int:
        """How many jobs of the folder wait or run."""
        places = (self._memory.folder.root / "jobs").glob("*/job_*.lock")
        return sum(map(is_held, places))

    def _environment(self) -> dict[str, str]:
        if self._ledger_url is None and not self._memory.folder.ledger.exists():
            raise StoreError("the memory's ledger is not in its folder: pass its URL as DreamJobs(memory, ledger=URL)")
        given = {LEDGER_VARIABLE: self._ledger_url} if self._ledger_url is not None else {}
        kept = {name: value for name, value in os.environ.items() if name != LEDGER_VARIABLE}
        return {**kept, **given}

    def _spawn(self, files: JobFiles, record: JobRecord, environment: dict[str, str]) -> None:
        held = take(files.lock(record.id)) if record.id not in files.ids() else None
        if held is None:
            raise InvalidInput(f"the job {record.id} is there already: leave the id out to get a new one")
        try:
            files.write(record)
            # The child holds the lock by the file that it inherits: there is no moment at which nobody does.
            with files.log(record.id).open("wb") as log:
                child = subprocess.Popen(  # noqa: S603
                    [
                        *self._runner,
                        str(self._memory.folder.root.absolute()),
                        "/".join(record.namespace),
                        record.id,
                        str(held),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=(held,),
                    start_new_session=True,
                )
        finally:
            os.close(held)
        self._children.append(child)

    def _reap(self) -> None:
        """Let go of the children that have ended."""
        self._children = [child for child in self._children if child.poll() is None]


def _name(part: object, what: str) -> str | None:
    if part is None or isinstance(part, str):
        return part
    if isinstance(part, Path):
        return str(part.absolute())
    raise ModelError(
        f"a dream runs in a process of its own, which cannot be given this memory's {what} ({type(part).__name__}): "
        f"open the memory with the {what}'s name or folder"
    )


def _shown(record: JobRecord, report: DreamReport | None) -> DreamJob:
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
        },
    )
