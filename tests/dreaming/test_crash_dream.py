"""A dream that is killed at any moment leaves a memory that is whole, and the next dream goes on from there."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import AdapterError
from hybridmem.core.records import Fact
from hybridmem.dreaming import cycle, general, runner
from hybridmem.dreaming.recipes import EvalSettings
from hybridmem.dreaming.recovery import DreamState
from hybridmem.dreaming.steps.compose import Composition
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests import scripts
from tests.dreaming.nights import ANA, BRIEF, items_of, open_memory
from tests.models import families

TARGETS = "q_proj"
"""One adapted layer: the test is about what is written when, and not about the weights."""
RECIPE = replace(BRIEF, max_new_facts=4, train=replace(BRIEF.train, targets=TARGETS, checkpoint_seconds=-1.0))
MOMENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile", "shutil.rmtree"}
WRITES = (
    "put_state",
    "remove_state",
    "put_fact",
    "mark_extracted",
    "save_items",
    "save_adapter",
    "save_audits",
    "activate",
    "save_dream",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one dream came to its end."""

    exitcode: int
    seconds: float
    moments: int


class Moments:
    """Counts what changes on the disk, and ends the process just before the one that it waits for."""

    def __init__(self, last: int | None) -> None:
        self.count, self.last = 0, last

    def pass_(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch_files(self) -> None:
        sys.addaudithook(lambda event, arguments: self.pass_() if event in MOMENTS else None)

    def watch_ledger(self, ledger: Any) -> None:
        for name in WRITES:
            setattr(ledger, name, self._between(getattr(ledger, name)))

    def _between(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **given: Any) -> Any:
            self.pass_()
            result = write(*arguments, **given)
            self.pass_()
            return result

        return watched


def _dream(path: Path, model: Any, last: int | None, counted: Connection) -> None:
    """One night of a memory whose reader and composer are simple rules: only the training is real."""
    context_of = runner._context
    runner._context = lambda memory: replace(context_of(memory), reader=FakeModel())
    cycle.compose = lambda model, facts, *rest: Composition(
        tuple(item for fact in facts for item in items_of(fact)), (), 0, 0
    )
    general.unrelated = lambda part: ("What colour is the sky?",)
    moments = Moments(last)
    memory = open_memory(path, model)
    moments.watch_ledger(memory.ledger)
    moments.watch_files()
    memory.dream(recipe=replace(RECIPE, eval=EvalSettings(drift_rows=1, drift_tokens=32, calibration_questions=2)))
    memory.close()
    counted.send(moments.count)


def _serve(path: Path, orders: Connection) -> None:
    """Loads the model once, then forks for every dream: an order is (kill after so many seconds, at which moment)."""
    model = HuggingFaceModel.load(families.save("llama", path.with_name("model"), layers=1), device="cpu")
    with model.new_adapter(lora_config(model.module, 8, 16, TARGETS), seed=0):
        """Layers wrapped and libraries loaded, so that no child has to."""
    context = multiprocessing.get_context("fork")
    while (order := orders.recv()) is not None:
        seconds, moment = order
        counting, counted = context.Pipe(duplex=False)
        child = context.Process(target=_dream, args=(path, model, moment, counted))
        started = time.monotonic()
        child.start()
        counted.close()
        child.join(seconds)
        child.kill()
        child.join()
        try:
            count = counting.recv()
        except EOFError:
            count = 0
        orders.send(Ended(child.exitcode or 0, time.monotonic() - started, count))


class Dreamer:
    """Dreams in processes of their own."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders

    def dream(self, *, seconds: float | None = None, moment: int | None = None) -> Ended:
        self._orders.send((seconds, moment))
        ended = self._orders.recv()
        assert isinstance(ended, Ended)
        assert ended.exitcode in (0, -signal.SIGKILL), "the dream failed: its error is in the captured output"
        return ended


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture
def dreamer(path: Path) -> Iterator[Dreamer]:
    context = scripts.context()
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(path, theirs))
    server.start()
    theirs.close()
    yield Dreamer(ours)
    ours.send(None)
    server.join(10)
    server.kill()


class Life:
    """What somebody tells the memory between its nights, and what they may rely on."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path, self.chance = path, chance
        self.kept: set[str] = set()
        self.deleted: set[str] = set()
        self.day = 0

    def live(self) -> None:
        """A person turns up, sometimes one moves, sometimes one is forgotten."""
        self.day += 1
        with open_memory(self.path, None) as memory:
            name = f"Person{self.day}"
            self.kept |= {episode.id for episode in memory.add(f"{name} lives in Town{self.day}.")}
            current = memory.ledger.facts(ANA)
            if current and self.day % 3 == 0:
                moved = self.chance.choice(current)
                self.kept.add(memory.add_fact(moved.subject, "lives in", f"Port{self.day}").id)
            if current and self.day % 4 == 0:
                self.forget(memory, self.chance.choice(current))
            self.kept |= {fact.id for fact in memory.ledger.facts(ANA, include_retired=True)}

    def forget(self, memory: HybridMemory, fact: Fact) -> None:
        for id in (fact.id, *fact.sources):
            if memory.ledger.get_many(ANA, [id]):
                receipt = memory.delete(id)
                self.deleted |= {id, *receipt.facts}
        self.kept -= self.deleted

    def check(self, *, repair: bool) -> None:
        with open_memory(self.path, None) as memory:
            memory.catch_up()
            assert memory.ledger.check() == []
            assert set(memory.ledger.get_many(ANA, sorted(self.kept))) == self.kept
            assert memory.ledger.get_many(ANA, sorted(self.deleted)) == {}
            active = memory.adapters.active()
            if active is not None:
                memory.adapters.verify(active.version)
                assert set(active.facts) & self.deleted <= set(active.tainted)
            for record in memory.adapters.list():
                assert record.status != "active" or (active and record.version == active.version)
            if repair:
                memory.doctor(repair=True)
                assert memory.doctor() == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_a_dream_survives_kills_at_random_moments(path: Path, dreamer: Dreamer, kills: int) -> None:
    chance = random.Random(20260301)
    life = Life(path, chance)
    life.live()
    whole = dreamer.dream()
    assert whole.exitcode == 0
    killed = 0
    day = 0
    while killed < kills:
        day += 1
        assert day < 3 * kills, "most dreams end before they are killed: the moments are drawn too late"
        if day % 3 == 1:
            life.live()
        if day % 3:
            ended = dreamer.dream(moment=chance.randint(1, whole.moments))
        else:
            ended = dreamer.dream(seconds=chance.uniform(0.1, 1.0) * whole.seconds)
        killed += ended.exitcode != 0
        life.check(repair=day % 5 == 0)

    life.live()
    assert dreamer.dream().exitcode == 0
    life.check(repair=False)
    with open_memory(path, None) as memory:
        last = memory.dreams()[-1]
        assert (last.status, last.adapter) == ("promoted", memory.adapters.active().version)
        assert memory.doctor() == []
        for record in memory.adapters.list():
            if life.deleted & set(record.facts):
                assert record.files == {}
                assert not memory.adapters.path(record.version).exists()
        with pytest.raises(AdapterError):
            memory.adapters.remove(last.adapter)
        assert memory.ledger.get_state(ANA, DreamState) is None
        assert not memory.folder.dream(ANA).exists()
