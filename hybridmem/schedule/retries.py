"""How often and when a failed dream is retried."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from hybridmem.core.errors import InvalidInput
from hybridmem.jobs.job import DreamJob

HOPELESS = frozenset(
    {"InvalidInput", "ModelNotFound", "ModelIncomplete", "MissingExtra", "NotAMemory", "NewerFormat", "ModelError"}
)
"""Errors that no retry mends: a person has to act."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Exponential backoff with jitter of up to 25% either way, so that many namespaces do not retry at once."""

    most: int = 3
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(minutes=30)

    def __post_init__(self) -> None:
        """Raises `InvalidInput`."""
        if not 0 <= self.most <= 20:
            raise InvalidInput(f"{self.most} retries are not between 0 and 20: a dream that fails so often needs help")

    def after(self, attempt: int, job: DreamJob, chance: random.Random) -> timedelta | None:
        """How long to wait after the failure of attempt number `attempt` (from 1); None for no further attempt."""
        if attempt > self.most or job.error_type in HOPELESS:
            return None
        wait = min(self.first * float(2 ** (attempt - 1)), self.longest)
        return wait * chance.uniform(0.75, 1.25)
