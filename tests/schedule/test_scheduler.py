"""What a scheduler does at each look at the clock, with jobs that end when the test says so."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.errors import StoreBusy, UnknownDream
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport
from hybridmem.jobs import Budget, DreamJob
from hybridmem.models.fake import FakeModel
from hybridmem.schedule import schedule_state as nights
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.lease import TERM, Lease, holder
from hybridmem.schedule.log import ScheduleLog
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.quiet import QuietHours
from hybridmem.schedule.retries import Retries
from hybridmem.schedule.scheduler import Scheduler

ANA, BOB = ("users", "ana"), ("users", "bob")
NIGHTLY = Cron.nightly("03:00", "UTC")


class Clock:
    def __init__(self, text: str = "2026-03-01T12:00") -> None:
        self.set(text)

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def go(self, **length: float) -> None:
        self.now += timedelta(**length)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Jobs:
    """The jobs of a folder: they outlive the schedulers that start them, as processes do."""

    clock: Clock
    found: dict[str, DreamJob] = field(default_factory=dict)
    budgets: list[Budget | None] = field(default_factory=list)
    refuses: Exception | None = None

    def start(self, namespace: Namespace, recipe: str, *, budget: Budget | None, id: str) -> DreamJob:
        if self.refuses is not None:
            raise self.refuses
        self.budgets.append(budget)
        self.found[id] = DreamJob(id, namespace, "running", self.clock(), self.clock(), recipe=recipe)
        return self.found[id]

    def get(self, namespace: Namespace, id: str) -> DreamJob:
        if id not in self.found:
            raise UnknownDream(id)
        return self.found[id]

    def cancel(self, namespace: Namespace, id: str, *, seconds: float) -> DreamJob:
        if self.get(namespace, id).open:
            self.end("canceled")
        return self.found[id]

    @property
    def open(self) -> list[DreamJob]:
        return [job for job in self.found.values() if job.open]

    def end(self, status: str, verdict: str | None = None, **given: Any) -> None:
        """End the one that runs."""
        (job,) = self.open
        report = DreamReport("dr_1", job.namespace, verdict, 1, self.clock(), 5.0) if verdict else None
        self.found[job.id] = replace(job, status=status, report=report, ended_at=self.clock(), **given)


class Night:
    """A memory, its jobs and a clock; `scheduler` starts one."""

    def __init__(self, memory: HybridMemory, tmp_path: Path) -> None:
        self.memory = memory
        self.clock = Clock()
        self.jobs = Jobs(self.clock)
        self.file = tmp_path / "log" / "schedule.jsonl"
        self.said: list[str] = []

    def scheduler(
        self, cron: Cron = NIGHTLY, namespaces: Any = (ANA,), reach_back: float = 0, **plan: Any
    ) -> Scheduler:
        log = ScheduleLog(self.clock, "UTC", self.file, self.said.append)
        return Scheduler(
            self.memory,
            SchedulePlan(cron, namespaces, **plan),
            self.jobs,  # type: ignore[arg-type]
            self.clock,
            log,
            reach_back=timedelta(hours=reach_back),
            chance=random.Random(0),
        )

    def of(self, namespace: Namespace = ANA) -> nights.ScheduleState:
        night = nights.read(self.memory.ledger, namespace)
        assert night is not None
        return night

    def runs(self, namespace: Namespace = ANA) -> list[tuple[str, str]]:
        return [(run.fire.strftime("%d %H:%M"), run.verdict) for run in self.of(namespace).runs]

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.file.read_text().splitlines()]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=FakeModel(), embedder="hashing") as memory:
        memory.add("Ana lives in Porto.")
        memory.at(BOB).add("Bob lives in Riga.")
        yield Night(memory, tmp_path)


def test_three_nights(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    assert night.jobs.open == []
    for day in (2, 3, 4):
        night.clock.set(f"2026-03-0{day}T02:59:59")
        scheduler.tick()
        assert night.jobs.open == []
        for _ in range(3):
            night.clock.go(seconds=5)
            scheduler.tick()
            assert len(night.jobs.open) == 1
        night.jobs.end("completed", "promoted")
        for _ in range(3):
            scheduler.tick()
            night.clock.go(hours=1)
    assert night.runs() == [("02 03:00", "promoted"), ("03 03:00", "promoted"), ("04 03:00", "promoted")]
    assert len(night.jobs.found) == 3
    assert night.events() == ["waiting"] + ["dreaming", "over"] * 3
    assert night.of().next == datetime(2026, 3, 5, 3, tzinfo=UTC)
    assert night.said[0] == "2026-03-01 12:00:00  users/ana: the next night is due 2026-03-02T03:00:00+00:00"


def test_a_restart_within_the_night_does_not_dream_it_again(night: Night) -> None:
    first = night.scheduler()
    first.tick()
    night.clock.set("2026-03-02T03:00:01")
    first.tick()
    night.jobs.end("completed", "promoted")
    first.tick()
    first.stop()
    for _ in range(3):
        night.clock.go(minutes=1)
        night.scheduler(reach_back=12).tick()
    assert len(night.jobs.found) == 1


def test_a_missed_night_is_made_up_for_once(night: Night) -> None:
    night.scheduler().tick()
    night.clock.set("2026-03-04T09:00")
    scheduler = night.scheduler()
    scheduler.tick()
    assert len(night.jobs.open) == 1
    assert "2 earlier ones are made up for with it" in night.said[-1]
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    scheduler.tick()
    assert night.runs() == [("04 03:00", "promoted")]


def test_a_night_that_was_missed_by_too_much(night: Night) -> None:
    night.scheduler().tick()
    night.clock.set("2026-03-02T15:00:01")
    scheduler = night.scheduler()
    scheduler.tick()
    scheduler.tick()
    assert night.jobs.found == {}
    assert night.runs() == [("02 03:00", "missed")]
    night.clock.set("2026-03-03T03:00")
    scheduler.tick()
    assert len(night.jobs.open) == 1


def test_quiet_hours_hold_a_night_back(night: Night) -> None:
    quiet = QuietHours.parse(["02:00-06:00"], "UTC")
    scheduler = night.scheduler(quiet=quiet)
    scheduler.tick()
    for hour in (3, 4, 5):
        night.clock.set(f"2026-03-02T0{hour}:59")
        scheduler.tick()
        assert night.jobs.found == {}
    night.clock.set("2026-03-02T06:00")
    scheduler.tick()
    assert len(night.jobs.open) == 1
    assert night.events().count("quiet") == 1


def test_quiet_hours_hold_a_retry_back(night: Night) -> None:
    scheduler = night.scheduler(quiet=QuietHours.parse(["03:01-06:00"], "UTC"))
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    night.jobs.end("failed", error="no space", error_type="StoreFull")
    for _ in range(100):
        night.clock.go(minutes=1)
        scheduler.tick()
    assert night.jobs.open == []
    night.clock.set("2026-03-02T06:00")
    scheduler.tick()
    assert len(night.jobs.open) == 1


def test_a_failure_is_tried_again_with_backoff_and_then_given_up(night: Night) -> None:
    scheduler = night.scheduler(retries=Retries(most=2))
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    waits = []
    for _ in range(2):
        night.jobs.end("failed", error="no space", error_type="StoreFull")
        scheduler.tick()
        began = night.clock.now
        while not night.jobs.open:
            night.clock.go(seconds=5)
            scheduler.tick()
        waits.append((night.clock.now - began).total_seconds())
    assert 40 <= waits[0] <= 80 and 85 <= waits[1] <= 155
    night.jobs.end("failed", error="no space", error_type="StoreFull")
    for _ in range(100):
        night.clock.go(minutes=5)
        scheduler.tick()
    assert night.runs() == [("02 03:00", "failed")]
    (run,) = night.of().runs
    assert (run.attempts, run.reason, night.of().retries) == (3, "no space", 2)


def test_the_backoff_outlives_the_scheduler(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    night.jobs.end("failed", error="?")
    scheduler.tick()
    scheduler = night.scheduler()
    scheduler.tick()
    assert night.jobs.open == []
    night.clock.go(minutes=2)
    scheduler.tick()
    assert (len(night.jobs.open), night.of().attempt) == (1, 2)


@pytest.mark.parametrize("verdict", ["rejected", "nothing"])
def test_what_the_gate_said_is_not_tried_again(night: Night, verdict: str) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    night.jobs.end("completed", verdict)
    for _ in range(100):
        night.clock.go(minutes=5)
        scheduler.tick()
    assert night.runs() == [("02 03:00", verdict)]


def test_a_budget_is_handed_on_and_its_reason_kept(night: Night) -> None:
    budget = Budget(seconds=10, tokens=5, memory_gb=1)
    scheduler = night.scheduler(budget=budget)
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    assert night.jobs.budgets == [budget]
    night.jobs.end("canceled", error="the dream was stopped: its budget of 10 seconds is used up")
    scheduler.tick()
    night.clock.go(hours=1)
    scheduler.tick()
    (run,) = night.of().runs
    assert (run.verdict, run.reason) == ("canceled", "the dream was stopped: its budget of 10 seconds is used up")
    assert len(night.jobs.found) == 1


def test_the_next_night_ends_the_retries_of_the_one_before(night: Night) -> None:
    scheduler = night.scheduler(retries=Retries(first=timedelta(days=2), longest=timedelta(days=2)))
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    night.jobs.end("failed", error="?")
    scheduler.tick()
    night.clock.set("2026-03-03T03:00")
    scheduler.tick()
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    assert night.runs() == [("02 03:00", "missed"), ("03 03:00", "promoted")]


def test_a_dream_that_lasts_over_the_next_night(night: Night) -> None:
    scheduler = night.scheduler(cron=Cron.parse("0 * * * *", "UTC"))
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    for _ in range(15):
        scheduler.tick()
        night.clock.go(minutes=10)
    assert len(night.jobs.found) == 1
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    scheduler.tick()
    night.jobs.end("completed", "nothing")
    scheduler.tick()
    assert night.runs() == [("02 03:00", "promoted"), ("02 05:00", "nothing")]


def test_a_stop_stops_the_dream_and_the_next_start_goes_on(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    scheduler.stop()
    assert (night.jobs.open, night.of().state, night.of().runs) == ([], "stopped", ())
    assert holder(night.memory.folder, ANA) is None
    night.clock.go(minutes=30)
    scheduler = night.scheduler()
    scheduler.tick()
    assert (len(night.jobs.open), night.of().attempt) == (1, 1)
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    assert night.runs() == [("02 03:00", "promoted")]


def test_a_night_that_was_stopped_and_left_for_too_long(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    scheduler.stop()
    night.clock.set("2026-03-02T20:00")
    night.scheduler().tick()
    assert (night.jobs.open, night.runs()) == ([], [("02 03:00", "missed")])


def test_a_stop_that_comes_too_late_keeps_the_report(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    night.jobs.end("completed", "promoted")
    scheduler.stop()
    assert night.runs() == [("02 03:00", "promoted")]


class Killed(BaseException):
    """The process ends here."""


def killed(scheduler: Scheduler) -> None:
    """What the kernel does for a process that is gone: its files are closed. Nothing else is put in order."""
    for lease in scheduler._leases.values():
        os.close(lease._lock)
    scheduler._leases.clear()


def test_a_killed_scheduler_leaves_a_dream_that_the_next_one_follows(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    killed(scheduler)
    scheduler = night.scheduler()
    scheduler.tick()
    assert (len(night.jobs.found), scheduler.dreaming) == (1, [ANA])
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    assert night.runs() == [("02 03:00", "promoted")]


def test_killed_before_its_job_was_there(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The night is noted, the job is not started."""
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")

    def dies(*arguments: object, **given: object) -> DreamJob:
        killed(scheduler)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(night.jobs, "start", dies)
        scheduler.tick()
    assert (night.of().state, night.jobs.found) == ("running", {})
    scheduler = night.scheduler()
    for _ in range(3):
        scheduler.tick()
    assert (len(night.jobs.found), night.of().attempt) == (1, 1)


def test_killed_after_its_job_was_there(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    start = night.jobs.start

    def dies(*arguments: Any, **given: Any) -> DreamJob:
        start(*arguments, **given)
        killed(scheduler)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(night.jobs, "start", dies)
        scheduler.tick()
    scheduler = night.scheduler()
    for _ in range(3):
        scheduler.tick()
    assert len(night.jobs.found) == 1


def test_two_schedulers_on_one_folder(night: Night) -> None:
    first, second = night.scheduler(), night.scheduler()
    for scheduler in (first, second):
        scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    for _ in range(3):
        first.tick()
        second.tick()
    assert len(night.jobs.found) == 1
    assert (first.dreaming, second.dreaming) == ([ANA], [])
    killed(first)
    second.tick()
    assert second.dreaming == [ANA]
    night.jobs.end("completed", "promoted")
    for _ in range(3):
        second.tick()
        first.tick()
    assert night.runs() == [("02 03:00", "promoted")]


def test_all_namespaces_one_at_a_time_and_those_to_come(night: Night) -> None:
    scheduler = night.scheduler(namespaces=None)
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    dreamt = []
    for _ in range(4):
        scheduler.tick()
        for job in night.jobs.open:
            dreamt.append(job.namespace)
            night.jobs.end("completed", "promoted")
    scheduler.tick()
    assert sorted(dreamt) == [ANA, BOB]
    night.memory.at("users/eve").add("Eve lives in Oslo.")
    scheduler.tick()
    assert night.jobs.open == [], "a namespace that is new waits for the next night"
    assert night.of(("users", "eve")).next == datetime(2026, 3, 3, 3, tzinfo=UTC)


def test_several_at_once(night: Night) -> None:
    scheduler = night.scheduler(namespaces=(ANA, BOB), at_once=2)
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    assert sorted(job.namespace for job in night.jobs.open) == [ANA, BOB]


def test_an_error_of_one_namespace_leaves_the_others_their_night(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = night.scheduler(namespaces=(ANA, BOB))
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    get_state = night.memory.ledger.get_state

    def busy(namespace: Namespace, kind: Any) -> Any:
        if namespace == ANA:
            raise StoreBusy("another process holds the store")
        return get_state(namespace, kind)

    with monkeypatch.context() as patch:
        patch.setattr(night.memory.ledger, "get_state", busy)
        scheduler.tick()
        scheduler.tick()
    assert [job.namespace for job in night.jobs.open] == [BOB]
    assert night.events().count("error") == 1
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    scheduler.tick()
    assert [job.namespace for job in night.jobs.open] == [ANA]


def test_a_job_that_cannot_start_is_tried_again(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    night.jobs.refuses = OSError(12, "Cannot allocate memory")
    scheduler.tick()
    assert night.of().state == "retry"
    night.jobs.refuses = None
    night.clock.go(minutes=2)
    scheduler.tick()
    assert len(night.jobs.open) == 1
    assert night.events() == ["waiting", "dreaming", "retry", "dreaming"]


def test_reaching_back_for_a_night_that_somebody_elses_clock_called(night: Night) -> None:
    night.clock.set("2026-03-02T03:00:02")
    scheduler = night.scheduler(reach_back=12)
    scheduler.tick()
    assert len(night.jobs.open) == 1
    assert not scheduler.at_rest(night.clock())
    night.jobs.end("completed", "promoted")
    scheduler.tick()
    assert scheduler.at_rest(night.clock() + timedelta(hours=23))
    assert not scheduler.at_rest(night.clock() + timedelta(hours=24))


def test_a_lease_of_another_machine_holds_until_it_runs_out(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock may not be seen here, so that only its word counts."""
    folder, now = night.memory.folder, night.clock.now
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        lease = Lease.acquire(folder, ANA, "elsewhere-1", now)
    assert lease is not None
    os.close(lease._lock)
    assert Lease.acquire(folder, ANA, "here-1", now + TERM - timedelta(seconds=1)) is None
    found = holder(folder, ANA)
    assert found is not None and (found.owner, found.host) == ("elsewhere-1", "elsewhere")
    taken = Lease.acquire(folder, ANA, "here-1", now + TERM)
    assert taken is not None
    assert not lease.renew(now + TERM), "whoever slept through its term has lost it"
    assert taken.renew(now + TERM)
    taken.release()
    assert holder(folder, ANA) is None


def test_a_lease_is_renewed(night: Night) -> None:
    lease = Lease.acquire(night.memory.folder, ANA, "here-1", night.clock.now)
    assert lease is not None
    assert Lease.acquire(night.memory.folder, ANA, "here-2", night.clock.now + timedelta(days=1)) is None
    night.clock.go(minutes=1)
    assert lease.renew(night.clock.now)
    found = holder(night.memory.folder, ANA)
    assert found is not None and found.expires_at == night.clock.now + TERM
    lease.release()


def test_a_scheduler_whose_lease_was_taken_leaves_the_dream_alone(night: Night) -> None:
    scheduler = night.scheduler()
    scheduler.tick()
    night.clock.set("2026-03-02T03:00")
    scheduler.tick()
    path = next(night.memory.folder.locks.glob("schedule-*.json"))
    stolen = json.loads(path.read_text()) | {"owner": "elsewhere-1", "host": "elsewhere"}
    path.write_text(json.dumps(stolen))
    scheduler.tick()
    assert (scheduler.dreaming, len(night.jobs.open)) == ([], 1)
    assert night.events()[-1] == "lost"
    scheduler.stop()
    assert len(night.jobs.open) == 1
