"""What the ledger knows of a namespace's scheduled nights: the last that was taken up, and how far it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.stores.ledger.base import Ledger

KEY = "schedule"
REMEMBERED = 30
"""Nights of a namespace that `hybridmem schedule --status` can look back to."""
State = Literal["waiting", "running", "retry", "stopped"]
Verdict = Literal["promoted", "rejected", "nothing", "failed", "canceled", "missed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One night that is over."""

    fire: datetime
    """When it was due."""
    verdict: Verdict
    ended_at: datetime
    attempts: int = 0
    seconds: float = 0.0
    dream: str | None = None
    """Its report's id."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """Where a namespace's schedule stands. Written by the holder of its lease alone."""

    fire: datetime
    """The last night that was taken up, or, before the first, when the schedule began: no night up to this moment is
    begun any more."""
    state: State = "waiting"
    attempt: int = 0
    job: str | None = None
    """The dream job of this attempt; its id is written here before it is started."""
    not_before: datetime | None = None
    """When a failed dream may be tried again."""
    retries: int = 0
    """Of all nights together."""
    runs: tuple[Run, ...] = ()
    """Oldest first."""
    cron: str = ""
    zone: str = "UTC"
    next: datetime | None = None
    """When the next night is due, as the scheduler that last looked after it had it."""

    def ended(self, run: Run) -> ScheduleState:
        """The same with `run` over."""
        runs = (*self.runs, run)[-REMEMBERED:]
        return replace(self, state="waiting", job=None, not_before=None, runs=runs)


def read(ledger: Ledger, namespace: Namespace) -> ScheduleState | None:
    """None for a namespace that no schedule has looked after."""
    found = ledger.value(namespace, KEY)
    return None if found is None else _night(found)


def write(ledger: Ledger, namespace: Namespace, night: ScheduleState) -> None:
    """Durable when it returns."""
    ledger.set_value(namespace, KEY, to_json(night))


def _night(found: dict[str, Any]) -> ScheduleState:
    given = _times(ScheduleState, found, ("fire", "not_before", "next"))
    runs = tuple(Run(**_times(Run, run, ("fire", "ended_at"))) for run in given.pop("runs"))
    return ScheduleState(**given, runs=runs)


def _times(made: type[Any], found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(made)}
    given = {name: value for name, value in found.items() if name in known}
    return {
        name: datetime.fromisoformat(value) if name in names and value is not None else value
        for name, value in given.items()
    }
