"""A dream job as a caller sees it, in the shape of a job of a public API: pending, running, and one of three ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport

JobStatus = Literal["pending", "running", "completed", "failed", "canceled"]
OPEN: tuple[JobStatus, ...] = ("pending", "running")


@dataclass(frozen=True, slots=True)
class DreamJob:
    """One dream in a process of its own, at the moment that it was asked about."""

    id: str
    namespace: Namespace
    status: JobStatus
    """`pending` while it waits for its turn; `completed` whatever the gate said; `canceled` when somebody, or a
    budget, stopped it: nothing was promoted then, and the next dream resumes it."""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recipe: str = "default"
    report: DreamReport | None = None
    error: str | None = None
    """Why it failed, or which budget stopped it."""
    error_type: str | None = None
    """The name of the error's class, where one of `hybridmem.core.errors` was raised."""
    usage: Mapping[str, float] = field(default_factory=dict)
    """`seconds` so far, `trained_tokens` (once there is a report) and `peak_memory_mb`."""

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in OPEN
