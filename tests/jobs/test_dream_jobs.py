"""Dream jobs: what they say of themselves, whoever was killed, and from whichever process they are asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

import hybridmem
from hybridmem import HybridMemory
from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput, InvalidNamespace, ModelError, UnknownDream
from hybridmem.jobs import Budget, DreamJob, DreamJobs, dream_jobs
from hybridmem.jobs.record import JobFiles
from hybridmem.models.fake import FakeModel
from hybridmem.stores.index.inmemory import InMemoryVectorIndex
from tests.jobs.processes import eventually, kill
from tests.jobs.quick_runner import RUNNER, journal, orders

ANA, BOB = ("users", "ana"), ("users", "bob")
LONG = 60.0


pytestmark = pytest.mark.usefixtures("forked_jobs")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    given = {"model": "fake", "embedder": "hashing", "vectors": "memory"}
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, **given) as memory:
        memory.add("Ana lives in Porto.")
        memory.at(BOB).add("Bob lives in Riga.")
        yield memory


@pytest.fixture
def jobs(memory: HybridMemory) -> Iterator[DreamJobs]:
    jobs = DreamJobs(memory, runner=RUNNER)
    yield jobs
    for namespace in (ANA, BOB):
        for job in jobs.list(namespace):
            assert not jobs.cancel(namespace, job.id).open


def status(jobs: DreamJobs, job: DreamJob) -> str:
    return jobs.get(job.namespace, job.id).status


def runs(jobs: DreamJobs, job: DreamJob) -> None:
    """Wait until the dream itself has begun."""
    root = jobs._memory.folder.root
    name = "/".join(job.namespace)
    eventually(lambda: any(line["namespace"] == name for line in journal(root)))
    assert status(jobs, job) == "running"


def test_a_job_comes_to_its_report(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=0.3, tokens=1234)
    job = jobs.start(ANA)
    assert (job.status, job.report, job.error, job.started_at) == ("pending", None, None, None)
    ended = jobs.wait(ANA, job.id, seconds=30)
    assert (ended.status, ended.error, ended.recipe) == ("completed", None, "default")
    assert ended.report == memory.dreams()[0]
    assert ended.usage["trained_tokens"] == 1234
    assert ended.usage["peak_memory_mb"] == 50.0
    assert 0.3 <= ended.usage["seconds"] < 10
    assert ended.created_at <= ended.started_at <= ended.ended_at
    assert jobs.list(ANA) == [ended]
    assert jobs.list(BOB) == []


def test_a_gate_that_refuses_is_no_failure(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, status="rejected")
    ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
    assert (ended.status, ended.report.status) == ("completed", "rejected")


def test_an_error_is_told(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, error="StoreFull")
    ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
    assert (ended.status, ended.error, ended.error_type) == ("failed", "as ordered", "StoreFull")


def test_the_real_runner_dreams(memory: HybridMemory) -> None:
    jobs = DreamJobs(memory)
    ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=60)
    assert (ended.status, ended.error_type, ended.report.status) == ("completed", None, "promoted")
    assert memory.answer("Ana lives in what?", route="weights").text == "Porto"


def test_the_real_runner_tells_what_the_dream_raised(memory: HybridMemory, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=nowhere, embedder="hashing") as other:
        jobs = DreamJobs(other)
        ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=60)
    assert (ended.status, ended.error_type) == ("failed", "ModelNotFound")
    assert "nowhere" in ended.error


def test_a_job_runs_no_file_of_the_working_directory(
    memory: HybridMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command itself: what Python imports as it starts may be such a file."""
    monkeypatch.setattr(dream_jobs, "subprocess", subprocess)
    place = tmp_path / "work"
    place.mkdir()
    for name in ("calendar", "http", "hybridmem", "sitecustomize"):
        (place / f"{name}.py").write_text(f"open({str(place / 'executed')!r}, 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(place)
    paths = [str(Path(hybridmem.__file__).parent.parent), os.environ.get("PYTHONPATH", ""), ""]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    jobs = DreamJobs(memory)
    ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=60)
    assert ended.status == "completed", ended.error
    assert not (place / "executed").exists()


def test_cancel_stops_a_running_dream(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=LONG)
    job = jobs.start(ANA)
    runs(jobs, job)
    ended = jobs.cancel(ANA, job.id)
    assert (ended.status, ended.report, ended.error) == ("canceled", None, None)
    assert memory.dreams() == []
    with FileLock(memory.folder.dream_lock(ANA), timeout=0):
        pass
    assert jobs.cancel(ANA, job.id) == ended


def test_cancel_before_the_process_can_hear(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=LONG)
    assert jobs.cancel(ANA, jobs.start(ANA).id).status == "canceled"


def test_cancel_leaves_what_has_ended(jobs: DreamJobs) -> None:
    ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
    assert jobs.cancel(ANA, ended.id) == ended


def test_a_killed_dream_has_failed(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=LONG)
    job = jobs.start(ANA)
    runs(jobs, job)
    kill(journal(memory.folder.root)[-1]["pid"])
    eventually(lambda: status(jobs, job) == "failed", 10)
    ended = jobs.get(ANA, job.id)
    assert "its process ended in the middle of its dream" in ended.error
    assert ended.usage["seconds"] > 0
    orders(memory.folder.root)
    assert jobs.wait(ANA, jobs.start(ANA).id, seconds=30).status == "completed"
    assert jobs.get(ANA, job.id) == ended, "the report of the dream after it is not its own"


def test_a_dream_that_died_after_its_report_has_completed(jobs: DreamJobs, memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=1.0, dies=True)
    job = jobs.start(ANA)
    ended = jobs.wait(ANA, job.id, seconds=30)
    assert (ended.status, ended.report) == ("completed", memory.dreams()[0])


def test_jobs_outlive_who_started_them(memory: HybridMemory, jobs: DreamJobs) -> None:
    """A server that is killed leaves its dream running, and any process can follow and stop it."""
    orders(memory.folder.root, seconds=LONG)
    program = f"""
import os, signal
from hybridmem import HybridMemory
from hybridmem.jobs import DreamJobs
memory = HybridMemory.open({str(memory.folder.root)!r}, model="fake", embedder="hashing")
DreamJobs(memory, runner={RUNNER!r}).start(("users", "ana"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    (job,) = jobs.list(ANA)
    runs(jobs, job)
    assert jobs.cancel(ANA, job.id).status == "canceled"


def test_a_starter_that_dies_before_the_process_is_there(jobs: DreamJobs, memory: HybridMemory) -> None:
    """Its record is left behind, and nobody holds the lock."""
    files = JobFiles(memory.folder, ANA)
    job = jobs.start(ANA)
    jobs.wait(ANA, job.id, seconds=30)
    from dataclasses import replace

    record = replace(files.read(job.id), id="job_0123456789abcdef", status="pending", started_at=None, dream=None)
    files.write(record)
    found = jobs.get(ANA, record.id)
    assert (found.status, found.report) == ("failed", None)
    assert "before its dream began" in found.error


def test_a_job_waits_for_the_dream_of_somebody_else(jobs: DreamJobs, memory: HybridMemory) -> None:
    with FileLock(memory.folder.dream_lock(ANA)):
        job = jobs.start(ANA)
        time.sleep(1.5)
        assert status(jobs, job) == "pending"
    assert jobs.wait(ANA, job.id, seconds=30).status == "completed"


def test_jobs_take_turns(jobs: DreamJobs, memory: HybridMemory) -> None:
    """In the order of their start within a namespace, and one at a time in the folder."""
    orders(memory.folder.root, seconds=0.3)
    started = [jobs.start(ANA), jobs.start(BOB), jobs.start(ANA)]
    assert [job.id for job in jobs.list(ANA)] == [started[2].id, started[0].id]
    ended = [jobs.wait(job.namespace, job.id, seconds=60) for job in started]
    assert {job.status for job in ended} == {"completed"}
    assert ended[0].started_at < ended[2].started_at
    assert [line["event"] for line in journal(memory.folder.root)] == ["begin", "end"] * 3


def test_several_namespaces_at_once(memory: HybridMemory) -> None:
    orders(memory.folder.root, seconds=2.0)
    jobs = DreamJobs(memory, runner=RUNNER, at_once=2)
    for job in [jobs.start(ANA), jobs.start(BOB)]:
        jobs.wait(job.namespace, job.id, seconds=60)
    assert [line["event"] for line in journal(memory.folder.root)] == ["begin", "begin", "end", "end"]


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(tokens=50), "it would train 100 tokens, and the budget is 50"),
        (Budget(seconds=0.4), "its budget of 0.4 seconds is used up"),
        (Budget(memory_gb=0.001), "GB of memory, and the budget is 0.001 GB"),
    ],
)
def test_budgets(jobs: DreamJobs, memory: HybridMemory, budget: Budget, why: str) -> None:
    orders(memory.folder.root, seconds=LONG)
    ended = jobs.wait(ANA, jobs.start(ANA, budget=budget).id, seconds=30)
    assert ended.status == "canceled"
    assert why in ended.error
    assert memory.dreams() == []


def test_within_its_budget(jobs: DreamJobs) -> None:
    budget = Budget(seconds=60, tokens=100, memory_gb=8)
    assert jobs.wait(ANA, jobs.start(ANA, budget=budget).id, seconds=30).status == "completed"


@pytest.mark.parametrize("bound", [0, -1, float("nan")])
def test_a_budget_of_nothing(bound: float) -> None:
    with pytest.raises(InvalidInput, match="lets no dream run"):
        Budget(seconds=bound)


def test_the_number_of_jobs_is_bounded(jobs: DreamJobs, memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    from hybridmem.core.errors import DreamBusy

    monkeypatch.setattr(dream_jobs, "KEPT", 1)
    monkeypatch.setattr(dream_jobs, "MOST_OPEN", 2)
    for _ in range(3):
        jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
    assert len(jobs.list(ANA)) == 2
    orders(memory.folder.root, seconds=LONG)
    jobs.start(ANA), jobs.start(BOB)
    with pytest.raises(DreamBusy, match="wait or run"):
        jobs.start(ANA)
    left = [path.suffix for path in memory.folder.jobs(BOB).iterdir()]
    assert sorted(left) == [".json", ".lock", ".log"]


@pytest.mark.parametrize("id", ["job_0123456789abcdef", "../../ledger", "", "job_*", "job_0123456789ABCDEF/x"])
def test_an_id_that_is_none(jobs: DreamJobs, id: str) -> None:
    for ask in (jobs.get, jobs.cancel):
        with pytest.raises(UnknownDream):
            ask(ANA, id)


def test_another_namespaces_job_is_not_there(jobs: DreamJobs) -> None:
    job = jobs.start(ANA)
    with pytest.raises(UnknownDream):
        jobs.get(BOB, job.id)
    with pytest.raises(UnknownDream):
        jobs.cancel(BOB, job.id)
    assert jobs.wait(ANA, job.id, seconds=30).status == "completed"


def test_bad_input(jobs: DreamJobs, memory: HybridMemory) -> None:
    with pytest.raises(InvalidInput, match="no recipe"):
        jobs.start(ANA, "nonesuch")
    with pytest.raises(InvalidNamespace):
        jobs.start(("..",))
    job = jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
    with pytest.raises(InvalidInput, match="there already"):
        jobs.start(ANA, id=job.id)
    assert [each.id for each in jobs.list(ANA)] == [job.id]


def test_a_model_that_no_other_process_can_have(tmp_path: Path) -> None:
    with (
        HybridMemory.open(tmp_path / "memory", model=FakeModel()) as memory,
        pytest.raises(ModelError, match="open the memory with the model's name or folder"),
    ):
        DreamJobs(memory).start(("default",))


def test_a_report_of_another_time_is_not_its_own(jobs: DreamJobs, memory: HybridMemory) -> None:
    """The dream that somebody ran by hand a minute after the killed one."""
    from dataclasses import replace

    orders(memory.folder.root, seconds=LONG)
    job = jobs.start(ANA)
    runs(jobs, job)
    kill(journal(memory.folder.root)[-1]["pid"])
    eventually(lambda: not JobFiles(memory.folder, ANA).alive(job.id))
    orders(memory.folder.root)
    later = jobs.wait(BOB, jobs.start(BOB).id, seconds=30)
    memory.ledger.save_dream(
        replace(later.report, id="dr_later", namespace=ANA, started_at=utc_now() + timedelta(minutes=1))
    )
    assert status(jobs, job) == "failed"


def test_a_dream_has_the_indexes_and_the_reader_that_its_memory_was_opened_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDMEM_READER", "openai:tiny")
    place = tmp_path / "elsewhere.sqlite3"
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model="fake", vectors="memory", ledger=place) as memory:
        jobs = DreamJobs(memory, runner=RUNNER)
        ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=30)
        assert (ended.status, memory.dreams()) == ("completed", [ended.report])
        begun = journal(memory.folder.root)[0]
    assert (begun["vectors"], begun["reader"]) == ("memory", None)


def test_an_index_that_no_other_process_can_have(tmp_path: Path) -> None:
    with (
        HybridMemory.open(tmp_path / "memory", namespace=ANA, model="fake", vectors=InMemoryVectorIndex()) as memory,
        pytest.raises(ModelError, match="open the memory with the vector index's name or folder"),
    ):
        DreamJobs(memory).start(ANA)
