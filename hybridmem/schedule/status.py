"""The state of a memory folder's schedules, as seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hybridmem.core.namespace import Namespace
from hybridmem.schedule import schedule_state
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.lease import holder
from hybridmem.schedule.schedule_state import Run, State

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one namespace's schedule."""

    namespace: Namespace
    cron: str
    zone: str
    state: State
    next: datetime | None
    """When the next night, or the next attempt, is due."""
    attempt: int
    job: str | None
    scheduler: str | None
    """The scheduler that runs its dream now."""
    last: Run | None
    runs: tuple[Run, ...]


def standings(memory: HybridMemory, namespaces: Sequence[Namespace], now: datetime) -> list[Standing]:
    """One for each of `namespaces` for which a schedule has run."""
    found = []
    for namespace in namespaces:
        schedule = schedule_state.read(memory.ledger, namespace)
        if schedule is None:
            continue
        lease_holder = holder(memory.folder, namespace)
        following = schedule.not_before or Cron.parse(schedule.cron, schedule.zone).next(max(now, schedule.fire))
        found.append(
            Standing(
                namespace=namespace,
                cron=schedule.cron,
                zone=schedule.zone,
                state=schedule.state,
                next=following,
                attempt=schedule.attempt,
                job=schedule.job,
                scheduler=lease_holder.owner if lease_holder is not None and schedule.state == "running" else None,
                last=schedule.runs[-1] if schedule.runs else None,
                runs=schedule.runs,
            )
        )
    return found
