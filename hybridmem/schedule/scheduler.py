"""`Scheduler`: looks at the clock, and dreams what is due. Nothing that it knows is lost when it is killed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hybridmem.core.errors import HybridMemError, UnknownDream
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import new_id
from hybridmem.jobs.dream_jobs import STOP_SECONDS, DreamJobs
from hybridmem.jobs.job import DreamJob
from hybridmem.schedule import schedule_state as nights
from hybridmem.schedule.lease import Lease, holder, new_owner
from hybridmem.schedule.log import ScheduleLog
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.schedule_state import Run, ScheduleState, Verdict

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

REMEMBERED_FIRES = 10_000
RESTED_LOOKS = 12
"""Looks for which a namespace whose next night is not due is left alone: nobody but another scheduler changes that."""


class Scheduler:
    """Dreams the nights of `plan` for the namespaces of `memory`'s folder.

    `tick` is called every few seconds and never waits for a dream: dreams run as jobs in processes of their own. Before
    a night is begun, it is written down in the ledger under the namespace's lease, so that no other scheduler, and not
    this one after a restart, begins it again. `reach_back` counts nights that were due so long before the first
    look."""

    def __init__(
        self,
        memory: HybridMemory,
        plan: SchedulePlan,
        jobs: DreamJobs,
        clock: Callable[[], datetime],
        log: ScheduleLog,
        *,
        reach_back: timedelta = timedelta(0),
        chance: random.Random | None = None,
    ) -> None:
        self._memory = memory
        self._ledger = memory.ledger
        self._plan = plan
        self._jobs = jobs
        self.clock = clock
        self._log = log
        self._reach_back = reach_back
        self._chance = chance or random.Random()  # noqa: S311 - it spreads retries
        self._owner = new_owner()
        self._leases: dict[Namespace, Lease] = {}
        self._entered: set[Namespace] = set()
        """Namespaces whose record knows this plan."""
        self._resting: dict[Namespace, tuple[datetime, int]] = {}
        """Until when nothing is due, and the looks that are left until it is read again."""
        self._following: dict[datetime, datetime | None] = {}
        """The night after each one that was asked about: many namespaces share few."""

    @property
    def dreaming(self) -> list[Namespace]:
        """The namespaces whose dreams this scheduler follows now."""
        return list(self._leases)

    def at_rest(self, until: datetime) -> bool:
        """Whether no night runs, is due up to `until`, or waits to be tried again or gone on with."""
        if self._leases:
            return False
        found = (nights.read(self._ledger, namespace) for namespace in self.namespaces())
        return all(night is not None and night.state == "waiting" and not self._wants(night, until) for night in found)

    def namespaces(self) -> list[Namespace]:
        return self._ledger.namespaces() if self._plan.namespaces is None else list(self._plan.namespaces)

    def tick(self) -> None:
        """Look at every namespace once: begin what is due, follow what runs. An error of one does not keep the others
        from their nights: it is told, and the next tick tries again."""
        for namespace in self.namespaces():
            try:
                self._look(namespace, self.clock())
            except (HybridMemError, OSError) as error:
                self._log.tell("error", namespace, f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Stop the dreams that run, so that the next start goes on with them, and give the leases back."""
        for namespace, lease in list(self._leases.items()):
            night = nights.read(self._ledger, namespace)
            if night is None or night.job is None or night.state != "running":
                self._give_back(namespace)
                continue
            self._log.tell("stopping", namespace, "stopping its dream")
            try:
                job = self._jobs.cancel(namespace, night.job, seconds=3 * STOP_SECONDS)
            except UnknownDream:
                job = None
            if job is not None and job.open:
                self._log.tell("left", namespace, "its dream does not stop: the next start follows it")
            elif job is not None and job.status != "canceled":
                self._conclude(namespace, night, job)
            elif lease.renew(self.clock()):
                nights.write(self._ledger, namespace, replace(night, state="stopped", job=None))
                self._log.tell("stopped", namespace, "its dream was stopped: the next start goes on with it")
            self._give_back(namespace)

    # ---- one namespace

    def _look(self, namespace: Namespace, now: datetime) -> None:
        if namespace in self._leases:
            self._follow(namespace, now)
            return
        if namespace not in self._entered and not self._enter(namespace, now):
            return
        until, looks = self._resting.get(namespace, (now, 0))
        if now < until and looks:
            self._resting[namespace] = until, looks - 1
            return
        night = nights.read(self._ledger, namespace)
        if night is None:
            self._entered.discard(namespace)
        elif night.state == "waiting" and (following := self._next(night.fire)) is not None and now < following:
            self._resting[namespace] = following, RESTED_LOOKS
        elif night.state == "running" or (self._wants(night, now) and self._may_start(namespace, now)):
            self._take_up(namespace, now)

    def _enter(self, namespace: Namespace, now: datetime) -> bool:
        """Note this plan, and for a namespace that is new to schedules the moment from which its nights count; False
        while somebody else has the lease."""
        lease = self._acquire(namespace, now)
        if lease is None:
            return False
        try:
            night = nights.read(self._ledger, namespace) or ScheduleState(fire=now - self._reach_back)
            night = self._planned(night)
            nights.write(self._ledger, namespace, night)
            self._entered.add(namespace)
        finally:
            lease.release()
        if night.state == "waiting" and not self._wants(night, now):
            due = night.next.isoformat() if night.next is not None else "never"
            self._log.tell("waiting", namespace, f"the next night is due {due}", next=night.next)
        return True

    def _wants(self, night: ScheduleState, now: datetime) -> bool:
        """Whether something is to be begun, gone on with or tried again."""
        following = self._next(night.fire)
        if following is not None and following <= now:
            return True
        if night.state == "retry":
            return night.not_before is None or night.not_before <= now
        return night.state == "stopped"

    def _may_start(self, namespace: Namespace, now: datetime) -> bool:
        end = self._plan.quiet.until(now)
        if end is not None:
            self._log.tell("quiet", namespace, f"waits for the end of the quiet hours, {end.isoformat()}")
            return False
        return len(self._leases) < self._plan.at_once

    def _take_up(self, namespace: Namespace, now: datetime) -> None:
        """With the lease: begin, go on with or try again what is due, or follow what an earlier scheduler left."""
        lease = self._acquire(namespace, now)
        if lease is None:
            return
        self._leases[namespace] = lease
        try:
            # Read again: until now, another one may have written it.
            night = nights.read(self._ledger, namespace)
            if night is not None and night.state == "running":
                self._follow(namespace, now)
            elif night is not None and self._wants(night, now):
                self._begin(namespace, night, now)
        except BaseException:
            self._give_back(namespace)
            raise
        if namespace in self._leases and not self._running(namespace):
            self._give_back(namespace)

    def _begin(self, namespace: Namespace, night: ScheduleState, now: datetime) -> None:
        fires = list(self._plan.cron.between(night.fire, now))
        if fires and night.state != "waiting":
            night = self._missed(namespace, night, night.fire, "the next night came before it was done", now)
        if fires and now - fires[-1] <= self._plan.latest:
            # One dream makes up for several nights: it reads all that is new.
            made_up = f", {len(fires) - 1} earlier ones are made up for with it" if len(fires) > 1 else ""
            self._start(namespace, replace(night, fire=fires[-1], attempt=1), f"the night is due{made_up}")
        elif fires:
            reason = f"{len(fires)} came due too long ago to be made up for"
            self._missed(namespace, night, fires[-1], reason, now)
        elif night.state == "retry":
            again = replace(night, attempt=night.attempt + 1, retries=night.retries + 1)
            self._start(namespace, again, f"attempt {again.attempt}")
        elif now - night.fire > self._plan.latest:
            self._missed(namespace, night, night.fire, "it was stopped, and nobody went on with it in time", now)
        else:
            self._start(namespace, night, "going on with the night that was stopped")

    def _start(self, namespace: Namespace, night: ScheduleState, why: str) -> None:
        """The id is in the ledger before the job is there: who is killed between the two finds no job, and starts it;
        who is killed after finds it."""
        night = self._planned(replace(night, state="running", job=new_id("job"), not_before=None))
        nights.write(self._ledger, namespace, night)
        self._log.tell("dreaming", namespace, f"dreaming: {why}", fire=night.fire, attempt=night.attempt, job=night.job)
        self._launch(namespace, night)

    def _launch(self, namespace: Namespace, night: ScheduleState) -> None:
        try:
            self._jobs.start(namespace, self._plan.recipe, budget=self._plan.budget, id=night.job)
        except (HybridMemError, OSError) as error:
            failed = DreamJob(
                id=str(night.job),
                namespace=namespace,
                status="failed",
                created_at=self.clock(),
                error=str(error),
                error_type=type(error).__name__,
            )
            self._conclude(namespace, night, failed)

    def _follow(self, namespace: Namespace, now: datetime) -> None:
        if not self._leases[namespace].renew(now):
            self._log.tell("lost", namespace, "the lease went to another scheduler: its dream is left to that one")
            self._give_back(namespace)
            return
        night = nights.read(self._ledger, namespace)
        if night is None or night.state != "running" or night.job is None:
            self._give_back(namespace)
            return
        try:
            job = self._jobs.get(namespace, night.job)
        except UnknownDream:
            # Killed between the note of the job and its start: what is to be done now, the next look will say.
            nights.write(self._ledger, namespace, replace(night, state="stopped", job=None))
            self._give_back(namespace)
            return
        if not job.open:
            self._conclude(namespace, night, job)

    def _conclude(self, namespace: Namespace, night: ScheduleState, job: DreamJob) -> None:
        now = self.clock()
        wait = self._plan.retries.after(night.attempt, job, self._chance) if job.status == "failed" else None
        if wait is not None:
            again = now + wait
            nights.write(self._ledger, namespace, replace(night, state="retry", job=None, not_before=again))
            text = f"failed ({job.error}); attempt {night.attempt + 1} follows at {again.isoformat(timespec='seconds')}"
            self._log.tell("retry", namespace, text, fire=night.fire, attempt=night.attempt, job=job.id)
        else:
            self._over(namespace, night, job, now)
        self._give_back(namespace)

    def _over(self, namespace: Namespace, night: ScheduleState, job: DreamJob, now: datetime) -> None:
        verdict: Verdict = "canceled" if job.status == "canceled" else "failed"
        reason = job.error or ("somebody stopped it" if job.status == "canceled" else "")
        if job.report is not None and job.report.status != "estimated":
            verdict, reason = job.report.status, job.report.reason
        seconds = job.usage.get("seconds", 0.0)
        dream = job.report.id if job.report is not None else None
        run = Run(night.fire, verdict, now, night.attempt, seconds, dream, reason)
        nights.write(self._ledger, namespace, self._planned(night.ended(run)))
        told = f"{verdict}{f' ({reason})' if reason else ''} after {seconds:.0f} s"
        self._log.tell("over", namespace, told, fire=night.fire, verdict=verdict, job=job.id, usage=job.usage)

    def _missed(
        self, namespace: Namespace, night: ScheduleState, fire: datetime, reason: str, now: datetime
    ) -> ScheduleState:
        """The night of `fire` will not be dreamt."""
        over = self._planned(replace(night, fire=fire).ended(Run(fire, "missed", now, night.attempt, reason=reason)))
        nights.write(self._ledger, namespace, over)
        self._log.tell("missed", namespace, f"the night of {fire.isoformat()} was missed: {reason}", fire=fire)
        return over

    def _planned(self, night: ScheduleState) -> ScheduleState:
        cron = self._plan.cron
        return replace(night, cron=cron.text, zone=cron.zone, next=self._next(night.fire))

    def _next(self, fire: datetime) -> datetime | None:
        if fire not in self._following:
            if len(self._following) > REMEMBERED_FIRES:
                self._following.clear()
            self._following[fire] = self._plan.cron.next(fire)
        return self._following[fire]

    def _acquire(self, namespace: Namespace, now: datetime) -> Lease | None:
        lease = Lease.acquire(self._memory.folder, namespace, self._owner, now)
        other = holder(self._memory.folder, namespace) if lease is None else None
        if other is not None:
            self._log.tell("held", namespace, f"left to the scheduler {other.owner}")
        return lease

    def _running(self, namespace: Namespace) -> bool:
        night = nights.read(self._ledger, namespace)
        return night is not None and night.state == "running"

    def _give_back(self, namespace: Namespace) -> None:
        lease = self._leases.pop(namespace, None)
        if lease is not None:
            lease.release()
