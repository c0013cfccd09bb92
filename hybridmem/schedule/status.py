"""How the schedules of a memory folder stand, for whoever asks from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hybridmem.core.namespace import Namespace
from hybridmem.schedule import schedule_state as nights
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.lease import holder
from hybridmem.schedule.schedule_state import Run, State

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory


@dataclass(frozen=True, slots=True)
class Standing:
    """One namespace's schedule."""

    namespace: Namespace
    cron: str
    zone: str
    state: State
    next: datetime | None
    """The next night, or the next attempt of this one."""
    attempt: int
    job: str | None
    scheduler: str | None
    """Who dreams it now."""
    last: Run | None
    runs: tuple[Run, ...]


def standings(memory: HybridMemory, namespaces: Sequence[Namespace], now: datetime) -> list[Standing]:
    """Those of `namespaces` that a schedule has looked after."""
    found = []
    for namespace in namespaces:
        night = nights.read(memory.ledger, namespace)
        if night is None:
            continue
        held = holder(memory.folder, namespace)
        following = night.not_before or Cron.parse(night.cron, night.zone).next(max(now, night.fire))
        found.append(
            Standing(
                namespace=namespace,
                cron=night.cron,
                zone=night.zone,
                state=night.state,
                next=following,
                attempt=night.attempt,
                job=night.job,
                scheduler=held.owner if held is not None and night.state == "running" else None,
                last=night.runs[-1] if night.runs else None,
                runs=night.runs,
            )
        )
    return found
