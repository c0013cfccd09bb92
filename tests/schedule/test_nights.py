"""Schedulers in processes of their own, a clock that a test moves, and real kills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.core.namespace import Namespace
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recovery import DreamState
from hybridmem.jobs import DreamJobs
from hybridmem.schedule import schedule_state as nights
from tests import scripts
from tests.dreaming.nights import ANA, items_of
from tests.jobs.processes import children, eventually, kill
from tests.jobs.quick_runner import journal, orders
from tests.models import families
from tests.schedule.brief_runner import HOLD
from tests.schedule.driver import FileClock, said

BOB = ("users", "bob")
ROOT = Path(__file__).parents[2]
PATIENCE = 400.0
"""Seconds for a real night: its process imports torch anew, on whatever else the machine does."""
RECIPE = """
name = "tiny"
[train]
rank = 4
alpha = 8
learning_rate = 0.02
exposures = 80
stop_threshold = 2.0
min_steps = 6
max_steps = 6
new_rows = 4
old_rows = 4
refusal_rows = 2
reading_rows = 1
general_rows = 1
general_tokens = 24
bf16 = false
checkpoint_seconds = 0.0
[eval]
drift_rows = 1
drift_tokens = 32
calibration_questions = 2
[gate]
min_learning_accuracy = 0.0
max_forgetting = 1.0
max_false_answer_rise = 1.0
min_locality = 0.0
max_drift_nats = 100.0
max_stale_answer_rate = 1.0
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def clock(tmp_path: Path) -> FileClock:
    clock = FileClock(tmp_path / "clock")
    clock.set("2026-03-01T12:00")
    return clock


@pytest.fixture
def start(tmp_path: Path, clock: FileClock) -> Iterator[Start]:
    """Start a scheduler; those that still run at the end are killed, with their dreams."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*names: str, runner: str = "quick", recipe: str = "default", model: str = "fake") -> object:
        arguments = [str(tmp_path / "memory"), str(clock.path), runner, recipe, model, *names]
        started.append(scripts.Popen([sys.executable, "-m", "tests.schedule.driver", *arguments], cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            kill(*children(process.pid), process.pid)
            process.wait()


def opened(place: Path) -> HybridMemory:
    return HybridMemory.open(place / "memory", namespace=ANA, model="fake", embedder="hashing", vectors="memory")


def night_of(memory: HybridMemory, namespace: Namespace) -> nights.ScheduleState:
    found = nights.read(memory.ledger, namespace)
    assert found is not None
    return found


def verdicts(memory: HybridMemory, namespace: Namespace = ANA) -> list[tuple[str, str, int]]:
    return [(run.fire.strftime("%d"), run.verdict, run.attempts) for run in night_of(memory, namespace).runs]


@pytest.mark.parametrize("base", ["fake", pytest.param("llama", marks=pytest.mark.slow)])
def test_three_nights_and_a_kill_in_the_second(tmp_path: Path, clock: FileClock, start: Start, base: str) -> None:
    """Real dreams, and a real SIGKILL of the scheduler and of its dream in the midst of a training."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    assert recipes.load(recipe).train.max_steps == tomllib.loads(RECIPE)["train"]["max_steps"]
    model = "fake" if base == "fake" else families.save(base, tmp_path / "model")
    towns = {"Ana": "Lisbon", "Bob": "Riga", "Eve": "Oslo"}
    given = {"runner": "brief", "recipe": str(recipe), "model": str(model)}

    with opened(tmp_path) as memory:

        def live(person: str) -> None:
            memory.ledger.save_items(items_of(memory.add_fact(person, "lives in", towns[person])))

        live("Ana")
        scheduler = start("users/ana", **given)
        eventually(lambda: nights.read(memory.ledger, ANA))
        clock.set("2026-03-02T03:00")
        eventually(lambda: verdicts(memory), PATIENCE)
        assert verdicts(memory) == [("02", "promoted", 1)]

        live("Bob")
        (hold := memory.folder.root / HOLD).touch()
        clock.set("2026-03-03T03:00")
        eventually(lambda: list(memory.folder.dream(ANA).rglob("*.safetensors")), PATIENCE, "no checkpoint was written")
        stopped = memory.ledger.get_state(ANA, DreamState)
        dreams = children(scheduler.pid)
        assert len(dreams) == 1
        kill(scheduler.pid, *dreams)
        scheduler.wait()
        hold.unlink()
        assert stopped is not None
        assert len(memory.dreams()) == 1, "the second dream was killed after its end"

        clock.set("2026-03-03T03:01")
        start("users/ana", **given)
        eventually(lambda: night_of(memory, ANA).state == "retry")
        clock.set("2026-03-03T03:05")
        eventually(lambda: len(verdicts(memory)) == 2, PATIENCE)

        live("Eve")
        clock.set("2026-03-04T03:00")
        eventually(lambda: len(verdicts(memory)) == 3, PATIENCE)
        assert verdicts(memory) == [("02", "promoted", 1), ("03", "promoted", 2), ("04", "promoted", 1)]

        reports = memory.dreams()
        assert [report.night for report in reports] == [1, 2, 3]
        assert reports[1].id == stopped.id, "the killed dream was not the one that went on"
        assert [report.held_facts for report in reports] == [1, 2, 3]
        assert [run.dream for run in night_of(memory, ANA).runs] == [report.id for report in reports]
        assert Counter(job.status for job in DreamJobs(memory).list(ANA)) == {"completed": 3, "failed": 1}
        active = memory.adapters.active()
        assert active is not None and active.version == reports[2].adapter
        memory.adapters.verify(active.version)
        assert not memory.folder.dream(ANA).exists()


def test_two_schedulers_dream_every_night_once(tmp_path: Path, clock: FileClock, start: Start) -> None:
    """Two processes on one folder, of which one is killed in the midst of the nights."""
    names = ("users/ana", "users/bob")
    with opened(tmp_path) as memory:
        memory.add("Ana lives in Porto.")
        memory.at(BOB).add("Bob lives in Riga.")
        root = memory.folder.root
        orders(root, seconds=0.5)
        running = [start(*names), start(*names)]
        eventually(lambda: all(nights.read(memory.ledger, namespace) for namespace in (ANA, BOB)))

        def both(number: int) -> bool:
            return all(len(verdicts(memory, namespace)) == number for namespace in (ANA, BOB))

        for number, day in enumerate((2, 3, 4), start=1):
            clock.set(f"2026-03-0{day}T03:00")
            if day == 3:
                eventually(lambda: children(running[0].pid) or children(running[1].pid))
                kill(running[0].pid)
                running[0].wait()
                running[0] = start(*names)
            eventually(lambda number=number: both(number), 60)
        for namespace in (ANA, BOB):
            assert verdicts(memory, namespace) == [(f"0{day}", "promoted", 1) for day in (2, 3, 4)]
            assert len(memory.at(namespace).dreams()) == 3

        lines = journal(root)
        for name in names:
            mine = [(line["event"], line["pid"]) for line in lines if line["namespace"] == name]
            assert [event for event, _ in mine] == ["begin", "end"] * 3, "two dreamt it at a time, or a night twice"
            assert all(mine[at][1] == mine[at + 1][1] for at in (0, 2, 4))
        begun = [(line["namespace"], line["fire"]) for line in said(tmp_path, "dreaming")]
        assert len(begun) == len(set(begun)) == 6


def test_sigterm_stops_the_dream_and_a_start_goes_on(tmp_path: Path, clock: FileClock, start: Start) -> None:
    with opened(tmp_path) as memory:
        memory.add("Ana lives in Porto.")
        orders(memory.folder.root, seconds=60)
        scheduler = start("users/ana")
        eventually(lambda: nights.read(memory.ledger, ANA))
        clock.set("2026-03-02T03:00")
        eventually(lambda: journal(memory.folder.root))
        (dream,) = children(scheduler.pid)
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(30) == 0
        eventually(lambda: not Path(f"/proc/{dream}").exists(), 10)
        assert night_of(memory, ANA).state == "stopped"
        orders(memory.folder.root)
        start("users/ana")
        eventually(lambda: verdicts(memory))
        assert verdicts(memory) == [("02", "promoted", 1)]
        assert [line["event"] for line in journal(memory.folder.root)] == ["begin", "begin", "end"]
        assert json.dumps(said(tmp_path, "stopped"))
