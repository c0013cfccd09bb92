"""A job in the memory folder: one JSON file, replaced as a whole at every change."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import CorruptStore, UnknownDream
from hybridmem.core.folder import MemoryFolder
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.jobs.budget import Budget
from hybridmem.jobs.job import OPEN, JobStatus
from hybridmem.jobs.liveness import is_held

_ID = re.compile(r"job_[0-9a-f]{12,40}")
_TIMES = ("created_at", "started_at", "ended_at", "beat_at")


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What was asked for, and how it ended. `start` writes it first, then only the dream's process, and last whichever
    process finds that one gone."""

    id: str
    namespace: Namespace
    status: JobStatus
    created_at: datetime
    recipe: str
    model: str | None = None
    embedder: str | None = None
    at_once: int = 1
    budget: Budget = field(default_factory=Budget)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    beat_at: datetime | None = None
    """When the process last recorded that it lives."""
    peak_memory_mb: float = 0.0
    dream: str | None = None
    """Id of the report in the ledger."""
    stopping: str | None = None
    """Why the process is stopping itself."""
    error: str | None = None
    error_type: str | None = None

    @property
    def open(self) -> bool:
        return self.status in OPEN


class JobFiles:
    """The records of one namespace's jobs."""

    def __init__(self, folder: MemoryFolder, namespace: Namespace) -> None:
        self._place = folder.jobs(namespace)
        self.namespace = namespace

    def make(self) -> None:
        """Make the folder. Raises `OSError`."""
        self._place.mkdir(parents=True, exist_ok=True)

    def ids(self) -> list[str]:
        """The ids of the jobs, newest first."""
        if not self._place.is_dir():
            return []
        return sorted((p.stem for p in self._place.glob("job_*.json") if _ID.fullmatch(p.stem)), reverse=True)

    def read(self, id: str) -> JobRecord:
        """The record of a job. Raises `UnknownDream`, also for a malformed id, or `CorruptStore`."""
        if not _ID.fullmatch(id):
            raise UnknownDream(f"{id!r:.80} is not the id of a dream job: ids look like job_018f...")
        path = self._place / f"{id}.json"
        try:
            return _record(json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise UnknownDream(f"no dream job of {'/'.join(self.namespace)} has the id {id}") from None
        except (ValueError, KeyError, TypeError):
            raise CorruptStore(f"{path} cannot be read: remove it, no memory is in it") from None

    def all(self) -> Iterator[JobRecord]:
        """Every record, newest first; jobs removed in the meantime are left out."""
        for id in self.ids():
            try:
                yield self.read(id)
            except UnknownDream:
                continue

    def write(self, record: JobRecord, *, durable: bool = True) -> None:
        """Replace the record on disk, as a whole or not at all."""
        path = self._place / f"{record.id}.json"
        unfinished = path.with_suffix(f".{os.getpid()}.half")
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(to_json(record), file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)

    def lock(self, id: str) -> Path:
        """The lock that the dream's process holds as long as it lives."""
        return self._place / f"{id}.lock"

    def log(self, id: str) -> Path:
        """The file with the standard error of the dream's process."""
        return self._place / f"{id}.log"

    def _cancel(self, id: str) -> Path:
        return self._place / f"{id}.cancel"

    def ask_to_stop(self, id: str) -> None:
        """Ask the dream's process to stop, by a file that it checks twice a second."""
        self._cancel(id).touch()

    def asked_to_stop(self, id: str) -> bool:
        return self._cancel(id).exists()

    def alive(self, id: str) -> bool:
        """Whether the process of this job lives."""
        return is_held(self.lock(id))

    def let_go(self, id: str) -> None:
        """Remove the lock of a job whose end is written: its process is not checked again."""
        self.lock(id).unlink(missing_ok=True)

    def prune(self, keep: int) -> None:
        """Remove all but the newest `keep` of the jobs that have ended."""
        ended = [record.id for record in self.all() if not record.open]
        for id in ended[keep:]:
            # The record goes last: without it, the other files would not be found.
            for left in sorted(self._place.glob(f"{id}.*"), key=lambda path: path.suffix == ".json"):
                left.unlink(missing_ok=True)


def _record(found: dict[str, Any]) -> JobRecord:
    known = {f.name for f in dataclasses.fields(JobRecord)}
    given = {name: value for name, value in found.items() if name in known}
    for name in _TIMES:
        given[name] = datetime.fromisoformat(given[name]) if given.get(name) else None
    if given["created_at"] is None:
        raise ValueError("a job without the time of its making")
    given["namespace"] = tuple(given["namespace"])
    given["budget"] = Budget(**given["budget"])
    return JobRecord(**given)
