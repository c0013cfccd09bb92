"""``hybridmem schedule`` as a user types it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.cli.app import run
from hybridmem.models.fake import FakeModel
from hybridmem.schedule import schedule_state as nights
from hybridmem.schedule.schedule_state import Run, ScheduleState
from tests import scripts
from tests.jobs.processes import eventually

ANA = ("users", "ana")
BEFORE = ["--model", "fake", "--embedder", "hashing"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=FakeModel(), embedder="hashing") as memory:
        memory.add("Ana lives in Porto.")
    return tmp_path / "memory"


def schedule(folder: Path, *arguments: str, before: Sequence[str] = BEFORE) -> int:
    return run([*before, "--memory", str(folder), "--namespace", "users/ana", "schedule", *arguments])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "say when, in one way"),
        (["--nightly", "03:00", "--cron", "0 3 * * *"], "say when, in one way"),
        (["--cron", "every night"], "2 fields and not 5"),
        (["--cron", "0 0 31 2 *"], "never due"),
        (["--nightly", "25:00"], "not a time of day"),
        (["--nightly", "03:00", "--quiet", "00:00-24:00"], "cover the whole day"),
        (["--nightly", "03:00", "--quiet", "night"], "are no quiet hours"),
        (["--nightly", "03:00", "--quiet", "01:00-20:00", "--zone", "UTC"], "every night"),
        (["--nightly", "03:00", "--for", "users/bob"], "nothing is in the namespace users/bob"),
        (["--nightly", "03:00", "--for", "users//bob"], "empty part"),
        (["--nightly", "03:00", "--for", "users/ana", "--all"], "exclude each other"),
        (["--nightly", "03:00", "--zone", "Mars/Base"], "no time zone is called 'Mars/Base'"),
        (["--nightly", "03:00", "--catch-up", "later"], "not a length of time"),
        (["--nightly", "03:00", "--max-seconds", "0"], "lets no dream run"),
        (["--nightly", "03:00", "--retries", "-1"], "between 0 and 20"),
        (["--nightly", "03:00", "--at-once", "0"], "not between 1 and 64"),
        (["--nightly", "03:00", "--recipe", "nonesuch"], "no recipe 'nonesuch'"),
        (["--nightly", "03:00", "--metrics", "99999999"], "cannot have the port"),
        (["--nightly", "03:00", "--log", "/proc/none/log"], "cannot be written"),
        (["--nightly", "03:00", "--print", "launchd"], "launchd"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert schedule(folder, *arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert why in told.err


def test_a_memory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schedule(tmp_path / "none", "--nightly", "03:00") == 2
    assert "no memory at" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_printing_changes_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, holds in (("systemd", "OnCalendar="), ("crontab", "0 3 * * *"), ("kubernetes", 'kind: "CronJob"')):
        assert schedule(folder, "--nightly", "03:00", "--print", form) == 0
        text = capsys.readouterr().out
        assert holds in text
        assert "users/ana" in text
    assert schedule(folder, "--nightly", "03:00", "--print", "systemd", "--to", str(tmp_path / "units")) == 0
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == [
        "hybridmem-dream.service",
        "hybridmem-dream.timer",
    ]
    capsys.readouterr()
    assert schedule(folder, "--nightly", "03:00", "--print", "crontab", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)["files"]) == ["hybridmem.crontab"]
    with HybridMemory.open(folder, namespace=ANA, model=FakeModel()) as memory:
        assert nights.read(memory.ledger, ANA) is None


def test_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schedule(folder, "--status") == 0
    assert capsys.readouterr().out == "no schedule has run here yet\n"
    fire = datetime(2026, 3, 2, 3, tzinfo=UTC)
    run_ = Run(fire, "rejected", fire, 1, 61.0, "dr_1", "the gate refused: drift")
    with HybridMemory.open(folder, namespace=ANA, model=FakeModel()) as memory:
        nights.write(memory.ledger, ANA, ScheduleState(fire, cron="0 3 * * *", zone="Europe/Lisbon").ended(run_))
    assert schedule(folder, "--status") == 0
    shown = capsys.readouterr().out
    for cell in ("users/ana", "Europe/Lisbon", "2026-03-02 03:00", "rejected", "61.000", "the gate refused: drift"):
        assert cell in shown
    assert schedule(folder, "--status", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["schedules"]
    assert (found["namespace"], found["last"]["verdict"]) == (["users", "ana"], "rejected")
    assert datetime.fromisoformat(found["next"]) > datetime.now(UTC)


def due_now() -> tuple[str, ...]:
    now = datetime.now(UTC)
    return ("--cron", f"{now.minute} {now.hour} * * *", "--zone", "UTC", "--once")


@pytest.mark.usefixtures("forked_jobs")
def test_once_dreams_what_is_due_and_says_how_it_went(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, due = tmp_path / "dreams.jsonl", due_now()
    assert schedule(folder, *due, "--log", str(log), "--json") == 0
    told = capsys.readouterr()
    ((night),) = json.loads(told.out)["nights"]
    assert (night["namespace"], night["run"]["verdict"], night["run"]["attempts"]) == (["users", "ana"], "promoted", 1)
    assert "users/ana: dreaming: the night is due" in told.err
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["dreaming", "over"]
    assert schedule(folder, *due) == 0
    assert "no nights yet" in capsys.readouterr().out


@pytest.mark.usefixtures("forked_jobs")
def test_a_failure_that_no_retry_mends_ends_the_night(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, due = tmp_path / "dreams.jsonl", due_now()
    before = ("--model", str(tmp_path / "nowhere"), "--embedder", "hashing")
    assert schedule(folder, *due, "--log", str(log), "--json", before=before) == 1
    told = capsys.readouterr()
    ((night),) = json.loads(told.out)["nights"]
    assert (night["namespace"], night["run"]["verdict"], night["run"]["attempts"]) == (["users", "ana"], "failed", 1)
    assert "nowhere" in night["run"]["reason"]
    assert "users/ana: dreaming: the night is due" in told.err
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["dreaming", "over"]
    assert schedule(folder, *due, before=before) == 0
    assert "no nights yet" in capsys.readouterr().out


def test_it_runs_until_it_is_told_to_stop_and_serves_its_figures(folder: Path) -> None:
    arguments = [*BEFORE, "--memory", str(folder), "schedule", "--all", "--nightly", "03:00", "--metrics", "0"]
    process = scripts.Popen(
        [sys.executable, "-m", "hybridmem.cli", *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        said = ""
        while "the next night is due" not in said:
            line = process.stderr.readline()
            assert line, "it ended"
            said += line
        found = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", said)
        assert found is not None
        page = urllib.request.urlopen(found[0]).read().decode()
        assert 'hybridmem_memories{kind="episode",namespace="users/ana"} 1.0' in page
        assert 'hybridmem_next_night_timestamp_seconds{namespace="users/ana"}' in page
        assert 'hybridmem_night_retries_total{namespace="users/ana"} 0.0' in page
        assert "Porto" not in page
    finally:
        process.send_signal(signal.SIGTERM)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stopping" in rest
    assert "Traceback" not in rest
    assert out == "no nights yet\n"


def test_a_log_can_be_followed_and_rotated(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "dreams.jsonl"
    arguments = [*BEFORE, "--memory", str(folder), "schedule", "--all", "--nightly", "03:00", "--log", str(log)]
    process = scripts.Popen(
        [sys.executable, "-m", "hybridmem.cli", *arguments],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    eventually(lambda: log.exists() and log.read_text())
    log.rename(tmp_path / "dreams.1.jsonl")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["stop"]
