"""`Scheduler`: looks at the clock and starts the dreams that are due. A kill loses nothing that it knows."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hybridmem.core.clock import Clock
from hybridmem.core.errors import HybridMemError, UnknownDream
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import new_id
from hybridmem.jobs.dream_jobs import STOP_SECONDS, DreamJobs
from hybridmem.jobs.job import DreamJob
from hybridmem.schedule import schedule_state
from hybridmem.schedule.lease import Lease, holder, new_owner
from hybridmem.schedule.log import ScheduleLog
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.schedule_state import Run, ScheduleState, Verdict

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

REMEMBERED_FIRES = 10_000
RESTED_LOOKS = 12
"""Ticks for which a namespace is left alone while its next night is not due: only another scheduler changes that."""


class Scheduler:
    """Runs the nights of `plan` for the namespaces in `memory`'s folder.

    `tick` is called every few seconds and never waits for a dream: dreams run as jobs in processes of their own. Before
    a night begins, it is written to the ledger under the namespace's lease, so that no other scheduler begins it again,
    nor does this one after a restart. `reach_back` includes nights that were due up to that long before the first
    tick."""

    def __init__(
        self,
        memory: HybridMemory,
        plan: SchedulePlan,
        jobs: DreamJobs,
        clock: Clock,
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
        """Namespaces whose state has this plan."""
        self._resting: dict[Namespace, tuple[datetime, int]] = {}
        """Until when nothing is due, and the ticks left until the state is read again."""
        self._following: dict[datetime, datetime | None] = {}
        """The next night by the night before it: many namespaces share few."""

    @property
    def dreaming(self) -> list[Namespace]:
        """The namespaces whose dreams this scheduler follows now."""
        return list(self._leases)

    def at_rest(self, until: datetime) -> bool:
        """Whether no night runs, is due up to `until`, or waits to be retried or resumed."""
        if self._leases:
            return False
        found = (schedule_state.read(self._ledger, namespace) for namespace in self.namespaces())
        return all(
            schedule is not None and schedule.state == "waiting" and not self._wants(schedule, until)
            for schedule in found
        )

    def namespaces(self) -> list[Namespace]:
        return self._ledger.namespaces() if self._plan.namespaces is None else list(self._plan.namespaces)

    def tick(self) -> None:
        """Look at every namespace once: start what is due, follow what runs. An error in one namespace does not stop
        the others: it is logged, and the next tick tries again."""
        for namespace in self.namespaces():
            try:
                self._look(namespace, self.clock())
            except (HybridMemError, OSError) as error:
                self._log.write("error", namespace, f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Stop the running dreams, which the next start resumes, and release the leases."""
        for namespace, lease in list(self._leases.items()):
            schedule = schedule_state.read(self._ledger, namespace)
            if schedule is None or schedule.job is None or schedule.state != "running":
                self._release(namespace)
                continue
            self._log.write("stopping", namespace, "stopping its dream")
            try:
                job = self._jobs.cancel(namespace, schedule.job, seconds=3 * STOP_SECONDS)
            except UnknownDream:
                job = None
            if job is not None and job.open:
                self._log.write("left", namespace, "its dream does not stop: the next start follows it")
            elif job is not None and job.status != "canceled":
                self._conclude(namespace, schedule, job)
            elif lease.renew(self.clock()):
                schedule_state.write(self._ledger, namespace, replace(schedule, state="stopped", job=None))
                self._log.write("stopped", namespace, "its dream was stopped: the next start goes on with it")
            self._release(namespace)

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
        schedule = schedule_state.read(self._ledger, namespace)
        if schedule is None:
            self._entered.discard(namespace)
        elif schedule.state == "waiting" and (following := self._next(schedule.fire)) is not None and now < following:
            self._resting[namespace] = following, RESTED_LOOKS
        elif schedule.state == "running" or (self._wants(schedule, now) and self._may_start(namespace, now)):
            self._take_up(namespace, now)

    def _enter(self, namespace: Namespace, now: datetime) -> bool:
        """Write this plan to the namespace's state, and for a new namespace the moment from which its nights count.
        False while another scheduler has the lease."""
        lease = self._acquire(namespace, now)
        if lease is None:
            return False
        try:
            schedule = schedule_state.read(self._ledger, namespace) or ScheduleState(fire=now - self._reach_back)
            schedule = self._planned(schedule)
            schedule_state.write(self._ledger, namespace, schedule)
            self._entered.add(namespace)
        finally:
            lease.release()
        if schedule.state == "waiting" and not self._wants(schedule, now):
            due = schedule.next.isoformat() if schedule.next is not None else "never"
            self._log.write("waiting", namespace, f"the next night is due {due}", next=schedule.next)
        return True

    def _wants(self, schedule: ScheduleState, now: datetime) -> bool:
        """Whether a night is to be started, resumed or retried."""
        following = self._next(schedule.fire)
        if following is not None and following <= now:
            return True
        if schedule.state == "retry":
            return schedule.not_before is None or schedule.not_before <= now
        return schedule.state == "stopped"

    def _may_start(self, namespace: Namespace, now: datetime) -> bool:
        end = self._plan.quiet.until(now)
        if end is not None:
            self._log.write("quiet", namespace, f"waits for the end of the quiet hours, {end.isoformat()}")
            return False
        return len(self._leases) < self._plan.at_once

    def _take_up(self, namespace: Namespace, now: datetime) -> None:
        """With the lease: begin, go on with or try again what is due, or follow what an earlier scheduler left."""
        lease = self._acquire(namespace, now)
        if lease is None:
            return
        self._leases[namespace] = lease
        try:
            # Read again: another scheduler may have written it before this one had the lease.
            schedule = schedule_state.read(self._ledger, namespace)
            if schedule is not None and schedule.state == "running":
                self._follow(namespace, now)
            elif schedule is not None and self._wants(schedule, now):
                self._begin(namespace, schedule, now)
        except BaseException:
            self._release(namespace)
            raise
        if namespace in self._leases and not self._running(namespace):
            self._release(namespace)

    def _begin(self, namespace: Namespace, schedule: ScheduleState, now: datetime) -> None:
        fires = list(self._plan.cron.between(schedule.fire, now))
        if fires and schedule.state != "waiting":
            schedule = self._missed(namespace, schedule, schedule.fire, "the next night came before it was done", now)
        if fires and now - fires[-1] <= self._plan.latest:
            # One dream makes up for several nights: it reads all that is new.
            made_up = f", {len(fires) - 1} earlier ones are made up for with it" if len(fires) > 1 else ""
            self._start(namespace, replace(schedule, fire=fires[-1], attempt=1), f"the night is due{made_up}")
        elif fires:
            reason = f"{len(fires)} came due too long ago to be made up for"
            self._missed(namespace, schedule, fires[-1], reason, now)
        elif schedule.state == "retry":
            again = replace(schedule, attempt=schedule.attempt + 1, retries=schedule.retries + 1)
            self._start(namespace, again, f"attempt {again.attempt}")
        elif now - schedule.fire > self._plan.latest:
            self._missed(namespace, schedule, schedule.fire, "it was stopped, and nobody went on with it in time", now)
        else:
            self._start(namespace, schedule, "going on with the night that was stopped")

    def _start(self, namespace: Namespace, schedule: ScheduleState, why: str) -> None:
        """The ledger gets the job's id before the job exists. A scheduler killed between the two finds no job and
        starts it; one killed later finds the job."""
        schedule = self._planned(replace(schedule, state="running", job=new_id("job"), not_before=None))
        schedule_state.write(self._ledger, namespace, schedule)
        self._log.write(
            "dreaming", namespace, f"dreaming: {why}", fire=schedule.fire, attempt=schedule.attempt, job=schedule.job
        )
        self._launch(namespace, schedule)

    def _launch(self, namespace: Namespace, schedule: ScheduleState) -> None:
        try:
            self._jobs.start(namespace, self._plan.recipe, budget=self._plan.budget, id=schedule.job)
        except (HybridMemError, OSError) as error:
            failed = DreamJob(
                id=str(schedule.job),
                namespace=namespace,
                status="failed",
                created_at=self.clock(),
                error=str(error),
                error_type=type(error).__name__,
            )
            self._conclude(namespace, schedule, failed)

    def _follow(self, namespace: Namespace, now: datetime) -> None:
        if not self._leases[namespace].renew(now):
            self._log.write("lost", namespace, "the lease went to another scheduler: its dream is left to that one")
            self._release(namespace)
            return
        schedule = schedule_state.read(self._ledger, namespace)
        if schedule is None or schedule.state != "running" or schedule.job is None:
            self._release(namespace)
            return
        try:
            job = self._jobs.get(namespace, schedule.job)
        except UnknownDream:
            # Killed after the id was written and before the job started: the next tick decides what to do.
            schedule_state.write(self._ledger, namespace, replace(schedule, state="stopped", job=None))
            self._release(namespace)
            return
        if not job.open:
            self._conclude(namespace, schedule, job)

    def _conclude(self, namespace: Namespace, schedule: ScheduleState, job: DreamJob) -> None:
        now = self.clock()
        wait = self._plan.retries.after(schedule.attempt, job, self._chance) if job.status == "failed" else None
        if wait is not None:
            again = now + wait
            schedule_state.write(self._ledger, namespace, replace(schedule, state="retry", job=None, not_before=again))
            text = (
                f"failed ({job.error}); attempt {schedule.attempt + 1} follows at {again.isoformat(timespec='seconds')}"
            )
            self._log.write("retry", namespace, text, fire=schedule.fire, attempt=schedule.attempt, job=job.id)
        else:
            self._over(namespace, schedule, job, now)
        self._release(namespace)

    def _over(self, namespace: Namespace, schedule: ScheduleState, job: DreamJob, now: datetime) -> None:
        verdict: Verdict = "canceled" if job.status == "canceled" else "failed"
        reason = job.error or ("somebody stopped it" if job.status == "canceled" else "")
        if job.report is not None and job.report.status != "estimated":
            verdict, reason = job.report.status, job.report.reason
        seconds = job.usage.get("seconds", 0.0)
        dream = job.report.id if job.report is not None else None
        run = Run(schedule.fire, verdict, now, schedule.attempt, seconds, dream, reason)
        schedule_state.write(self._ledger, namespace, self._planned(schedule.ended(run)))
        text = f"{verdict}{f' ({reason})' if reason else ''} after {seconds:.0f} s"
        self._log.write("over", namespace, text, fire=schedule.fire, verdict=verdict, job=job.id, usage=job.usage)

    def _missed(
        self, namespace: Namespace, schedule: ScheduleState, fire: datetime, reason: str, now: datetime
    ) -> ScheduleState:
        """Record that the night due at `fire` is not dreamt."""
        over = self._planned(
            replace(schedule, fire=fire).ended(Run(fire, "missed", now, schedule.attempt, reason=reason))
        )
        schedule_state.write(self._ledger, namespace, over)
        self._log.write("missed", namespace, f"the night of {fire.isoformat()} was missed: {reason}", fire=fire)
        return over

    def _planned(self, schedule: ScheduleState) -> ScheduleState:
        cron = self._plan.cron
        return replace(schedule, cron=cron.text, zone=cron.zone, next=self._next(schedule.fire))

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
            self._log.write("held", namespace, f"left to the scheduler {other.owner}")
        return lease

    def _running(self, namespace: Namespace) -> bool:
        schedule = schedule_state.read(self._ledger, namespace)
        return schedule is not None and schedule.state == "running"

    def _release(self, namespace: Namespace) -> None:
        lease = self._leases.pop(namespace, None)
        if lease is not None:
            lease.release()
