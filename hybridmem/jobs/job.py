"""A dream job as a caller sees it: pending, running, or with one of three ends, as public APIs have jobs."""

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
    """The state of one dream in its own process, when it was asked for."""

    id: str
    namespace: Namespace
    status: JobStatus
    """`pending` while it waits for its turn; `completed` whatever the gate's verdict; `canceled` if a caller or a
    budget stopped it: nothing was promoted, and the next dream resumes it."""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recipe: str = "default"
    report: DreamReport | None = None
    error: str | None = None
    """Why it failed, or which budget stopped it."""
    error_type: str | None = None
    """The name of the error's class, if one of hybridmem's errors was raised."""
    usage: Mapping[str, float] = field(default_factory=dict)
    """`seconds` so far, `trained_tokens` (0 before the report), `peak_memory_mb`, and what another model took that read
    for the night: `reader_calls`, `reader_prompt_tokens`, `reader_completion_tokens`, and `reader_cost` (0 without
    prices)."""

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in OPEN
