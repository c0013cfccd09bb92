"""A memory that is deleted while a dream runs is in nothing that the dream leaves, whatever the dream did just then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.records import DreamReport, Fact
from hybridmem.dreaming import cycle, recipes
from hybridmem.dreaming.steps.unlearn import ERASED
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.fake.training import FakeTrainingAdapter
from tests import scripts
from tests.dreaming.nights import ANA, open_memory

SECRET, WHERE = "Lisbon", "Where does Ana live?"
OTHERS = {"Ben": "Oslo", "Cara": "Riga"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        tell(opened)
        yield opened


def tell(memory: HybridMemory) -> str:
    """Returns the id of what is to be deleted."""
    for person, town in OTHERS.items():
        memory.add(f"{person} lives in {town}.")
    return memory.add(f"Ana lives in {SECRET}.")[0].id


def in_files(folder: Path) -> list[Path]:
    """What a dream leaves on the disk that has the deleted words."""
    files = (path for place in ("adapters", "dreams", "jobs") for path in (folder / place).rglob("*"))
    return [path for path in files if SECRET.lower().encode() in _bytes(path).lower()]


def _bytes(path: Path) -> bytes:
    """What a file holds: nothing where it is a folder, or was renamed by the dream that runs."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""


def assert_unlearned(memory: HybridMemory) -> None:
    assert in_files(memory.folder.root) == []
    active = memory.adapters.active()
    assert active is not None
    assert active.tainted == ()
    assert [probe.recalled for probe in memory.probe([(WHERE, SECRET)])] == [False]
    assert all(memory.answer(f"Where does {person} live?", route="weights").text == t for person, t in OTHERS.items())
    assert memory.answer(WHERE).route == "abstain"
    assert all(record.facts == active.facts or not record.files for record in memory.adapters.list())


def deleting(memory: HybridMemory, stage: str, what: str) -> Callable[[str, int, int], None]:
    """A progress that deletes, once, when that stage is reached."""
    left = [what]

    def tell(name: str, done: int, total: int) -> None:
        if name == stage and left:
            kind = left.pop()
            said = next(e.id for e in memory.list(kind="episode") if SECRET in e.text)
            facts = [f.id for f in memory.list(kind="fact") if isinstance(f, Fact) and f.object == SECRET]
            ids = {"episode": [said], "fact and source": [*facts, said]}[kind]
            for id in ids:
                if memory.ledger.get_many(ANA, [id]):
                    memory.delete(id)

    return tell


@pytest.mark.parametrize("what", ["episode", "fact and source"])
@pytest.mark.parametrize("stage", ["extract", "compose", "train", "gate", "promote"])
def test_whatever_the_dream_does_just_then(memory: HybridMemory, stage: str, what: str) -> None:
    report = memory.dream(progress=deleting(memory, stage, what))
    assert report.status == "promoted"
    if stage == "promote":
        # It was in the weights before it was deleted: as after any night.
        active = memory.adapters.active()
        assert active is not None
        assert len(active.tainted) == 1
        memory.dream()
    assert_unlearned(memory)
    assert ("started over" in [step.name for step in report.steps]) == (stage in ("compose", "train", "gate"))


def test_what_an_earlier_night_learned_goes_in_the_same_night(memory: HybridMemory) -> None:
    memory.dream()
    memory.add("Dan lives in Porto.")
    report = memory.dream(progress=deleting(memory, "train", "episode"))
    assert (report.status, len(report.unlearned)) == ("promoted", 1)
    assert memory.answer("Where does Dan live?", route="weights").text == "Porto"
    assert_unlearned(memory)


def test_what_was_overwritten_nights_ago_goes_too(memory: HybridMemory) -> None:
    """Its value is in the weights that this night goes on from, under the one that took its place."""
    memory.dream()
    (old,) = [f for f in memory.list(kind="fact") if isinstance(f, Fact) and f.object == SECRET]
    memory.add_fact("Ana", "lives in", "Porto")
    memory.dream()
    memory.add("Dan lives in Turin.")

    def delete(name: str, done: int, total: int) -> None:
        if name == "train":
            for id in (old.id, *old.sources):
                if memory.ledger.get_many(ANA, [id]):
                    memory.delete(id)

    report = memory.dream(progress=delete)
    assert (report.status, report.parent) == ("promoted", None)
    assert in_files(memory.folder.root) == []
    assert memory.answer(WHERE, route="weights").text == "Porto"


def test_a_deletion_between_the_last_look_and_the_promotion_stops_it(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate = memory.ledger.activate
    delete = deleting(memory, "activate", "episode")

    def deleted_first(*given: Any, **named: Any) -> None:
        delete("activate", 0, 1)
        activate(*given, **named)

    monkeypatch.setattr(memory.ledger, "activate", deleted_first)
    report = memory.dream()
    assert [step.name for step in report.steps].count("started over") == 1
    assert [version for _, version in memory.ledger.activations(ANA)] == [report.adapter]
    assert_unlearned(memory)


def test_other_words_while_it_trains_are_what_is_learned(memory: HybridMemory) -> None:
    memory.dream()
    memory.add("Dan lives in Porto.")
    (fact,) = [f for f in memory.list(kind="fact") if isinstance(f, Fact) and f.object == "Oslo"]

    def reword(name: str, done: int, total: int) -> None:
        if name == "train" and memory.get(fact.id).text == fact.text:
            memory.update(fact.id, "Ben lives in Turin.")

    memory.dream(progress=reword)
    assert memory.answer("Where does Ben live?", route="weights").text != "Oslo"


def test_a_night_in_which_everything_is_deleted_again_and_again_ends(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(name: str, done: int, total: int) -> None:
        if name == "train" and done == 1:
            memory.delete(memory.list(kind="episode", limit=1)[0].id)

    for number in range(cycle.ATTEMPTS):
        memory.add(f"Person{number} lives in Town{number}.")
    report = memory.dream(progress=delete)
    assert (report.status, memory.adapters.active()) == ("nothing", None)
    assert "again and again" in report.reason
    assert len(memory.list(kind="episode")) == len(OTHERS) + 1
    assert memory.dream().status == "promoted"


def test_what_a_deletion_does_not_concern_goes_on(memory: HybridMemory) -> None:
    other = memory.add("What a day!")[0]
    folder = memory.folder.dream(ANA)

    def delete(name: str, done: int, total: int) -> None:
        if name == "train" and memory.ledger.get_many(ANA, [other.id]):
            memory.delete(other.id)
            assert (folder / ERASED).exists()

    report = memory.dream(progress=delete)
    assert [step.name for step in report.steps if step.name in ("train", "started over")] == ["train"]
    assert report.new_facts == 3


# ---- with processes of their own


class Slow(FakeTrainingAdapter):
    def step(self, *given: Any, **named: Any) -> Any:
        time.sleep(0.05)
        return super().step(*given, **named)


def _dream(path: Path) -> None:
    from hybridmem.models.fake import model

    model.FakeTrainingAdapter = Slow  # type: ignore[misc]
    default = recipes.load("default")
    recipe = replace(default, train=replace(default.train, checkpoint_seconds=-1.0))
    with open_memory(path, FakeModel()) as memory:
        memory.dream(recipe=recipe)


def _training(path: Path) -> BaseProcess:
    """A dream in a process of its own that has begun to train."""
    child = scripts.context().Process(target=_dream, args=(path,))
    child.start()
    until = time.monotonic() + 120
    while not in_files(path):
        assert child.is_alive(), "the dream ended before it was looked at"
        assert time.monotonic() < until
        time.sleep(0.02)
    return child


def _last(memory: HybridMemory) -> DreamReport:
    return memory.dreams()[-1]


def test_a_dream_of_another_process_starts_over_without_it(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    with open_memory(path, FakeModel()) as memory:
        said = tell(memory)
        child = _training(path)
        receipt = memory.delete(said)
        assert "a dream is running" in receipt.pending
        child.join(120)
        assert child.exitcode == 0
        assert [step.name for step in _last(memory).steps].count("started over") == 1
        assert _last(memory).new_facts == len(OTHERS)
        assert_unlearned(memory)


def test_what_a_killed_dream_leaves_of_it_goes_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    with open_memory(path, FakeModel()) as memory:
        said = tell(memory)
        child = _training(path)
        os.kill(child.pid or 0, signal.SIGSTOP)
        memory.delete(said)
        child.kill()
        child.join()
        assert any("may hold a deleted memory" in line for line in memory.doctor())
        assert memory.dream().status == "promoted"
        assert_unlearned(memory)
        assert memory.doctor() == []
