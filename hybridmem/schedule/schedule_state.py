"""The ledger's record of a namespace's scheduled nights: the last one that began, and how far it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.stores.ledger.state import State as LedgerState

REMEMBERED = 30
"""Ended nights kept for each namespace, for `hybridmem schedule --status`."""
State = Literal["waiting", "running", "retry", "stopped"]
Verdict = Literal["promoted", "rejected", "nothing", "failed", "canceled", "missed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One night that has ended."""

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
    """The state of a namespace's schedule. Only the holder of its lease writes it.

    Version 0, from before versions, holds the same as version 1; fields that this release does not know are left."""

    KEY: ClassVar[str] = "schedule"
    VERSION: ClassVar[int] = 1
    fire: datetime
    """When the last night that began was due or, before the first one, when the schedule began. No night due up to this
    moment begins any more."""
    state: State = "waiting"
    attempt: int = 0
    job: str | None = None
    """Id of this attempt's dream job, written before the job starts."""
    not_before: datetime | None = None
    """When a failed dream may be retried."""
    retries: int = 0
    """Retries of all nights together."""
    runs: tuple[Run, ...] = ()
    """Oldest first."""
    cron: str = ""
    zone: str = "UTC"
    next: datetime | None = None
    """When the next night is due, by the plan of the last scheduler."""

    def ended(self, run: Run) -> ScheduleState:
        """This state with `run` ended."""
        runs = (*self.runs, run)[-REMEMBERED:]
        return replace(self, state="waiting", job=None, not_before=None, runs=runs)

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = to_json(self)
        return plain

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> ScheduleState:
        given = _times(cls, content, ("fire", "not_before", "next"))
        runs = tuple(Run(**_times(Run, run, ("fire", "ended_at"))) for run in given.pop("runs"))
        return cls(**given, runs=runs)


def read(ledger: LedgerState, namespace: Namespace) -> ScheduleState | None:
    """The state of `namespace`; None if no schedule has run for it."""
    return ledger.get_state(namespace, ScheduleState)


def write(ledger: LedgerState, namespace: Namespace, schedule: ScheduleState) -> None:
    """Store the state; it is durable on return."""
    ledger.put_state(namespace, schedule)


def _times(made: type[Any], found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(made)}
    given = {name: value for name, value in found.items() if name in known}
    return {
        name: datetime.fromisoformat(value) if name in names and value is not None else value
        for name, value in given.items()
    }
