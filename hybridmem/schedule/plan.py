"""A schedule's settings in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.jobs.budget import Budget
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.quiet import QuietHours
from hybridmem.schedule.retries import Retries

AT_LEAST = timedelta(minutes=1)
"""A night may begin this late however short the catch-up is: the clock is only polled."""
_FIRES_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """Which nights are dreamt, for whom, and within which bounds."""

    cron: Cron
    namespaces: tuple[Namespace, ...] | None
    """None for every namespace of the folder, future ones included."""
    quiet: QuietHours = field(default_factory=QuietHours)
    catch_up: timedelta = timedelta(hours=12)
    """How late a night may still begin after a suspension, an outage or quiet hours."""
    budget: Budget = field(default_factory=Budget)
    retries: Retries = field(default_factory=Retries)
    recipe: str = "default"
    at_once: int = 1
    """Namespaces that dream at the same time."""

    @property
    def latest(self) -> timedelta:
        """How late a night may begin at most."""
        return max(self.catch_up, AT_LEAST)

    def check(self, now: datetime) -> None:
        """Raises `InvalidInput` when quiet hours would swallow every night to come."""
        first = moment = self.cron.next(now)
        for _ in range(_FIRES_LOOKED_AT):
            if moment is None:
                return
            end = self.quiet.until(moment)
            if end is None or end - moment <= self.latest:
                return
            moment = self.cron.next(moment)
        raise InvalidInput(
            f"every night, as the one at {first:%Y-%m-%d %H:%M} UTC, falls into quiet hours that last longer than "
            f"--catch-up: move one of the three"
        )
