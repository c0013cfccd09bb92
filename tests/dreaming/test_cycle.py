from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import DreamBusy, DreamInterrupted, UnknownMemory, WrongBase
from hybridmem.core.records import Fact
from hybridmem.dreaming import cycle, general
from hybridmem.dreaming.plan import DreamContext, TrainingSet, selected
from hybridmem.dreaming.recipes import ComposeSettings
from hybridmem.dreaming.recovery import DreamState, Uncalibrated
from hybridmem.dreaming.step_log import StepLog
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.router.calibration import Calibration
from hybridmem.training.trainer import CHECKPOINT
from tests.dreaming.nights import ANA, ASKED, BRIEF, LENIENT, RECIPE, contents, open_memory, teach

STRICT = replace(BRIEF, gate=replace(LENIENT, min_learning_accuracy=1.1))
"""No night learns more than everything."""


@pytest.fixture(autouse=True)
def short_exams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(general, "unrelated", lambda part: ("What colour is the sky?", "Who wrote Hamlet?"))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        yield opened


@pytest.fixture
def tiny_memory(tiny: HuggingFaceModel, tmp_path: Path) -> Iterator[HybridMemory]:
    """Of a model that writes no question, and that can be taken for another base."""
    with open_memory(tmp_path / "memory", tiny) as opened:
        yield opened


def active(memory: HybridMemory) -> str | None:
    record = memory.adapters.active()
    return record.version if record else None


def on_disk(memory: HybridMemory) -> list[str]:
    return sorted({Path(path).parts[1] for path in contents(memory.folder.adapters)})


def context_of(memory: HybridMemory, reader: Any = None) -> DreamContext:
    model = memory.trainable()
    folder = memory.folder.dream(memory.namespace)
    return DreamContext(memory.ledger, memory.adapters, model, reader or model, ANA, folder, memory.clock)


def read(memory: HybridMemory, reader: Any) -> Mapping[str, int]:
    """Extract and curate what no dream has read; returns the counts."""
    log = StepLog()
    cycle._read(context_of(memory, reader), BRIEF, quiet, log)
    return log.steps[-1].counts


def quiet(step: str, done: int, total: int) -> None: ...


class Interrupt:
    """Ctrl-C when a step has come so far."""

    def __init__(self, step: str, done: int) -> None:
        self.at = (step, done)
        self.seen: list[tuple[str, int]] = []

    def __call__(self, step: str, done: int, total: int) -> None:
        self.seen.append((step, done))
        if (step, done) == self.at:
            raise KeyboardInterrupt

    def trained(self) -> list[int]:
        return [done for step, done in self.seen if step == "train"]


def test_a_first_night_is_promoted_and_says_what_it_did(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    report = memory.dream(recipe=BRIEF)
    assert (report.status, report.night, report.adapter, report.parent) == ("promoted", 1, "v0001", None)
    assert (report.new_facts, report.held_facts, report.unlearned) == (2, 2, ())
    assert [step.name for step in report.steps] == [
        "extract", "select", "compose", "train", "gate", "promote", "unlearn"
    ]  # fmt: skip
    assert report.trained_tokens > 0
    assert report.peak_memory_mb > 1
    assert memory.dreams() == [report]

    record = memory.adapters.verify("v0001", base_sha256=memory.model.sha256)
    assert (record.status, record.facts, record.dream) == ("active", tuple(f.id for f in told.values()), report.id)
    card = memory.adapters.card("v0001")
    assert (card.facts, card.seed, card.files, card.recipe["name"]) == (record.facts, 1, record.files, "quick")
    audits = memory.ledger.audits(ANA, "v0001")
    assert {(a.fact, a.split) for a in audits} == {(f.id, s) for f in told.values() for s in ("dev", "test")}
    [holder] = memory.why(told["Ana"].id)["adapters"]
    assert (holder["version"], holder["active"], holder["tainted"], holder["asked"]) == ("v0001", True, [], 2)

    assert not memory.folder.dream(ANA).exists()
    assert memory.ledger.get_state(ANA, DreamState) is None
    assert memory.ledger.get_state(ANA, Uncalibrated) is None
    assert memory.ledger.get_state(ANA, Calibration) is not None
    assert memory.doctor() == []


@pytest.mark.slow
def test_a_night_is_learned(stories: HuggingFaceModel, tmp_path: Path) -> None:
    with open_memory(tmp_path / "memory", stories) as memory:
        told = teach(memory, Ana="Lisbon", Ben="Oslo")
        report = memory.dream(recipe=RECIPE)
        pairs = [(ASKED[0].format(name), fact.object) for name, fact in told.items()]
        assert [probe.recalled for probe in memory.probe(pairs)] == [True, True]
        assert all(probe.probability > 0.5 > probe.base_probability for probe in memory.probe(pairs))
        assert memory.drift() == pytest.approx(report.test["drift_nats"], abs=1.0)
        memory.delete(told["Ana"].id)
        memory.dream(recipe=RECIPE)
        assert [probe.recalled for probe in memory.probe(pairs)] == [False, True]


def test_a_night_without_news_is_nothing(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    report = memory.dream(recipe=BRIEF)
    assert (report.status, report.reason, report.adapter) == ("nothing", "no new facts to learn", None)
    assert active(memory) == "v0001"
    assert [d.status for d in memory.dreams()] == ["promoted", "nothing"]


def test_a_second_night_goes_on_from_the_first(memory: HybridMemory) -> None:
    first = teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    second = teach(memory, Ben="Oslo")
    report = memory.dream(recipe=BRIEF)
    assert (report.night, report.adapter, report.parent) == (2, "v0002", "v0001")
    assert (report.new_facts, report.held_facts, len(report.retention)) == (1, 2, 2)
    assert memory.adapters.get("v0002").facts == (second["Ben"].id, first["Ana"].id)
    assert [record.status for record in memory.adapters.list()] == ["retired", "active"]
    assert memory.adapters.rollback() == memory.adapters.get("v0001")


def test_a_deleted_memory_is_rebuilt_without(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    receipt = memory.delete(told["Ana"].id)
    assert "run `hybridmem dream`" in receipt.pending
    assert receipt.tainted_adapters == ("v0001",)
    assert memory.adapters.get("v0001").tainted == (told["Ana"].id,)
    report = memory.dream(recipe=BRIEF)
    assert (report.status, report.parent, report.unlearned) == ("promoted", None, (told["Ana"].id,))
    assert (report.new_facts, report.held_facts) == (0, 1)
    assert memory.adapters.get("v0002").facts == (told["Ben"].id,)
    assert memory.adapters.get("v0001").files == {}
    assert on_disk(memory) == ["v0002"]
    with pytest.raises(UnknownMemory):
        memory.why(told["Ana"].id)
    assert memory.dream(recipe=BRIEF).status == "nothing"
    assert memory.doctor() == []


def test_a_rebuild_is_as_if_it_had_never_been_told(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    weights = []
    for name, people in (("told", {"Ana": "Lisbon", "Ben": "Oslo"}), ("untold", {"Ben": "Oslo"})):
        with open_memory(tmp_path / name, tiny) as memory:
            told = teach(memory, **people)
            if "Ana" in told:
                memory.dream(recipe=BRIEF)
                memory.delete(told["Ana"].id)
            seed = BRIEF.seed + 1 - len(memory.dreams())
            version = memory.dream(recipe=replace(BRIEF, seed=seed)).adapter
            assert version is not None
            weights.append((memory.adapters.path(version) / "adapter_model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_what_an_ancestor_held_is_deleted_from_its_descendants(memory: HybridMemory) -> None:
    lisbon = teach(memory, Ana="Lisbon", Ben="Oslo")["Ana"]
    memory.dream(recipe=BRIEF)
    teach(memory, Ana="Riga")
    report = memory.dream(recipe=BRIEF)
    assert report.parent == "v0001"
    assert lisbon.id not in memory.adapters.get("v0002").facts
    assert "v0002 is no longer asked" in memory.delete(lisbon.id).pending
    assert on_disk(memory) == ["v0002"]
    report = memory.dream(recipe=BRIEF)
    assert (report.parent, report.unlearned, report.held_facts) == (None, (lisbon.id,), 2)
    assert on_disk(memory) == ["v0003"]


def test_a_replaced_value_is_overwritten_and_asked_for(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    teach(memory, Ana="Riga")
    night = TrainingSet.of(context_of(memory), selected(context_of(memory), BRIEF), ())
    assert (night.replaced[0].id, night.parent) == (told["Ana"].id, memory.adapters.active())
    assert list(night.eval_set(context_of(memory), BRIEF, "dev").stale.values()) == ["Lisbon"]


@pytest.mark.parametrize("way", ["expired", "the new value has no exercises"])
def test_a_value_that_nothing_overwrites_is_rebuilt_without(tiny_memory: HybridMemory, way: str) -> None:
    told = teach(tiny_memory, Ana="Lisbon", Ben="Oslo")
    tiny_memory.dream(recipe=BRIEF)
    if way == "expired":
        tiny_memory.ledger.expire(ANA, told["Ana"].id, tiny_memory.clock())
    else:
        tiny_memory.add_fact("Ana", "lives in", "Riga")
    cheap = replace(BRIEF, compose=ComposeSettings(samples=1))
    report = tiny_memory.dream(recipe=cheap)
    assert (report.status, report.parent) == ("promoted", None)
    assert tiny_memory.adapters.get("v0002").facts == (told["Ben"].id,)


def test_when_nothing_is_left_no_adapter_is(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    memory.delete(told["Ana"].id)
    report = memory.dream(recipe=BRIEF)
    assert (report.status, report.unlearned, report.reason) == ("nothing", (told["Ana"].id,), "nothing is left to hold")
    assert (active(memory), on_disk(memory)) == (None, [])


def test_a_rejected_night_leaves_the_active_adapter_alone(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    before = contents(memory.adapters.path("v0001"))
    teach(memory, Ben="Oslo")
    report = memory.dream(recipe=STRICT)
    assert (report.status, report.reason, report.retention) == ("rejected", "the gate refused: learning_accuracy", ())
    assert [check.name for check in report.gate if not check.passed] == ["learning_accuracy"]
    assert (active(memory), memory.adapters.get("v0002").status) == ("v0001", "rejected")
    assert contents(memory.adapters.path("v0001")) == before
    assert memory.ledger.audits(ANA, "v0002") == []
    report = memory.dream(recipe=BRIEF)
    assert (report.status, report.night, report.adapter, report.parent) == ("promoted", 3, "v0003", "v0001")


def test_a_rebuild_that_is_rejected_does_not_bring_back_what_was_deleted(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    memory.delete(told["Ana"].id)
    no_drift = replace(BRIEF, gate=replace(LENIENT, max_drift_nats=-99.0))
    assert memory.dream(recipe=no_drift).status == "rejected"
    assert (active(memory), on_disk(memory)) == (None, ["v0002"])


def test_a_rebuild_is_measured_against_the_adapter_before(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    memory.delete(told["Ana"].id)
    night = TrainingSet.of(context_of(memory), selected(context_of(memory), BRIEF), ())
    assert night.night_input(context_of(memory), BRIEF, 0).parent is None
    assert night.before_path(context_of(memory)) == memory.adapters.path("v0001")


def test_a_rebuild_has_all_its_facts_to_learn_and_a_night_that_goes_on_the_new_ones(memory: HybridMemory) -> None:
    """Else the one new fact of a rebuild, missed, costs the weights all the others."""
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    told |= teach(memory, Cara="Riga")

    def night() -> TrainingSet:
        return TrainingSet.of(context_of(memory), selected(context_of(memory), BRIEF), ())

    assert night().to_learn(memory.adapters.active()) == (told["Cara"].id,)
    memory.delete(told["Ana"].id)
    assert night().parent is None
    assert night().to_learn(None) == (told["Cara"].id, told["Ben"].id)


def test_a_fact_without_exercises_stays_with_retrieval_and_costs_no_training(tiny_memory: HybridMemory) -> None:
    teach(tiny_memory, Ana="Lisbon")
    tiny_memory.dream(recipe=BRIEF)
    poor = tiny_memory.add_fact("Ben", "lives in", "Oslo")
    report = tiny_memory.dream(recipe=replace(BRIEF, compose=ComposeSettings(samples=1)))
    assert (report.status, report.reason) == ("nothing", "no fact could be turned into exercises")
    assert report.left_to_retrieval == (poor.id,)
    assert (active(tiny_memory), on_disk(tiny_memory)) == ("v0001", ["v0001"])


def test_a_refusal_that_can_be_answered_by_now_is_not_trained(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    assert [i.kind for i in memory.ledger.items(ANA)].count("refusal") == 3
    memory.add_fact("ZorLisbon", "lives in", "Bern")
    night = TrainingSet.of(context_of(memory), selected(context_of(memory), BRIEF), ())
    assert {item.kind for item in night.items} == {"question"}


def test_facts_that_wait_are_learned_on_later_nights(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon", Ben="Oslo", Cara="Riga")
    one = replace(BRIEF, max_new_facts=1)
    held = [memory.dream(recipe=one).held_facts for _ in range(4)]
    assert held == [1, 2, 3, 0]


@pytest.fixture
def moved(tiny_memory: HybridMemory) -> Iterator[HybridMemory]:
    """The memory with one night of its former base behind it, opened with another one."""
    teach(tiny_memory, Ana="Lisbon")
    tiny_memory.dream(recipe=BRIEF)
    other = copy.copy(tiny_memory.trainable())
    other.__dict__["sha256"] = "f" * 64
    other._name = "another"  # type: ignore[attr-defined]
    with open_memory(tiny_memory.folder.root, other) as opened:
        yield opened


ANEW = "started anew: v0001 was trained on the base {}, and the model is now another"


def test_another_base_starts_from_itself_and_says_so(moved: HybridMemory, tiny: HuggingFaceModel) -> None:
    (held,) = moved.adapters.get("v0001").facts
    assert moved.dream(dry_run=True, recipe=BRIEF).reason.startswith(f"{ANEW.format(tiny.name)}; ")
    report = moved.dream(recipe=BRIEF)
    assert (report.status, report.parent, report.new_facts) == ("promoted", None, 1)
    assert report.reason == ANEW.format(tiny.name)
    record = moved.adapters.get("v0002")
    assert (record.base_sha256, record.facts) == ("f" * 64, (held,))
    # The former adapter is still whole, and bound to its base.
    assert moved.adapters.verify("v0001", base_sha256=tiny.sha256).base == tiny.name
    teach(moved, Ben="Oslo")
    assert moved.dream(recipe=BRIEF).reason == ""


def test_a_refused_night_on_another_base_leaves_the_former_adapter_and_says_both(
    moved: HybridMemory, tiny: HuggingFaceModel
) -> None:
    report = moved.dream(recipe=STRICT)
    assert report.reason == f"{ANEW.format(tiny.name)}; the gate refused: learning_accuracy"
    assert active(moved) == "v0001"


def test_what_is_erased_leaves_the_weights_of_another_base_too(moved: HybridMemory) -> None:
    (held,) = moved.adapters.get("v0001").facts
    moved.delete(held)
    report = moved.dream(recipe=BRIEF)
    assert report.unlearned == (held,)
    assert (active(moved), on_disk(moved)) == (None, [])


def test_weights_of_another_base_are_not_measured(moved: HybridMemory) -> None:
    for measure in (moved.drift, lambda: moved.probe([("Where does Ana live?", "Lisbon")])):
        with pytest.raises(WrongBase, match="v0001"):
            measure()


def lasting(folder: Path) -> dict[str, bytes]:
    """All but SQLite's note of who reads its log just now."""
    return {name: content for name, content in contents(folder).items() if not name.endswith("-shm")}


def test_a_dry_run_changes_nothing(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    memory.delete(told["Ana"].id)
    teach(memory, Cara="Riga")
    memory.add("Dan moved to Bern.")
    before = lasting(memory.folder.root)
    report = memory.dream(dry_run=True, recipe=BRIEF)
    assert lasting(memory.folder.root) == before
    assert (report.status, report.night, report.unlearned) == ("estimated", 2, (told["Ana"].id,))
    assert report.new_facts >= 1
    assert report.trained_tokens > 0
    assert report.seconds > 0
    assert active(memory) == "v0001"


HOLD = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()"


def test_two_processes_do_not_dream_of_one_namespace(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    lock = str(memory.folder.dream_lock(ANA))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DreamBusy, match="users/ana"):
            memory.dream(recipe=BRIEF)
        other.communicate()
    assert memory.dream(recipe=BRIEF).status == "promoted"


def test_an_interrupted_training_resumes_to_the_same_adapter(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    recipe = replace(BRIEF, train=replace(BRIEF.train, max_steps=8, checkpoint_seconds=-1.0))
    weights = []
    for name in ("whole", "interrupted"):
        with open_memory(tmp_path / name, tiny) as memory:
            told = teach(memory, Ana="Lisbon", Ben="Oslo")
            progress = Interrupt("train", 5 if name == "interrupted" else 99)
            if name == "interrupted":
                with pytest.raises(DreamInterrupted, match="nothing was promoted: run `hybridmem dream`"):
                    memory.dream(recipe=recipe, progress=progress)
                assert (active(memory), memory.adapters.list(), memory.dreams()) == (None, [], [])
                [left] = memory.folder.dream(ANA).glob(f"*/{CHECKPOINT}")
                state = memory.ledger.get_state(ANA, DreamState)
                progress = Interrupt("train", 99)
                report = memory.dream(recipe=recipe, progress=progress)
                assert progress.trained() == [5, 6, 7, 8]
                assert state == DreamState(report.id)
                assert not left.exists()
            else:
                report = memory.dream(recipe=recipe, progress=progress)
            assert (report.status, report.night, report.held_facts) == ("promoted", 1, 2)
            assert set(told) == {"Ana", "Ben"}
            weights.append(contents(memory.adapters.path("v0001"))["adapter_model.safetensors"])
    assert weights[0] == weights[1]


def test_a_training_of_something_else_is_not_resumed(memory: HybridMemory) -> None:
    recipe = replace(BRIEF, train=replace(BRIEF.train, checkpoint_seconds=-1.0))
    teach(memory, Ana="Lisbon")
    with pytest.raises(DreamInterrupted):
        memory.dream(recipe=recipe, progress=Interrupt("train", 3))
    teach(memory, Ben="Oslo")
    progress = Interrupt("train", 99)
    assert memory.dream(recipe=recipe, progress=progress).new_facts == 2
    assert progress.trained() == [1, 2, 3, 4]


def test_a_training_on_another_base_is_not_resumed(tiny_memory: HybridMemory) -> None:
    recipe = replace(BRIEF, train=replace(BRIEF.train, checkpoint_seconds=-1.0))
    teach(tiny_memory, Ana="Lisbon")
    with pytest.raises(DreamInterrupted):
        tiny_memory.dream(recipe=recipe, progress=Interrupt("train", 3))
    other = copy.copy(tiny_memory.trainable())
    other.__dict__["sha256"] = "f" * 64
    with open_memory(tiny_memory.folder.root, other) as moved:
        progress = Interrupt("train", 99)
        moved.dream(recipe=recipe, progress=progress)
        assert progress.trained() == [1, 2, 3, 4]


def test_a_deletion_takes_a_stopped_training_along(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon")
    with pytest.raises(DreamInterrupted):
        memory.dream(recipe=BRIEF, progress=Interrupt("train", 3))
    assert memory.folder.dream(ANA).exists()
    assert memory.delete(told["Ana"].id).removed["stopped_training"] == 1
    assert not memory.folder.dream(ANA).exists()


@pytest.mark.parametrize("step", ["promote", "unlearn"])
def test_a_dream_that_is_stopped_after_its_promotion_is_finished_by_the_next(memory: HybridMemory, step: str) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    memory.ledger.remove_state(ANA, Calibration)
    memory.delete(told["Ana"].id)
    with pytest.raises(DreamInterrupted, match="v0002 was promoted before"):
        memory.dream(recipe=BRIEF, progress=Interrupt(step, 1))
    state = memory.ledger.get_state(ANA, DreamState)
    assert state is not None
    assert memory.dream(recipe=BRIEF).status == "nothing"
    _, finished, last = memory.dreams()
    assert (finished.id, finished.status, finished.night) == (state.id, "promoted", 2)
    assert (finished.adapter, finished.held_facts, last.status) == ("v0002", 1, "nothing")
    assert (active(memory), on_disk(memory)) == ("v0002", ["v0002"])
    assert memory.ledger.get_state(ANA, Calibration) is not None
    assert memory.ledger.get_state(ANA, Uncalibrated) is None


def test_a_report_is_not_written_over_by_the_next_dream(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    teach(memory, Ana="Lisbon")
    with monkeypatch.context() as patched:
        patched.setattr(cycle.shutil, "rmtree", stop_in_the_end(memory))
        with pytest.raises(DreamInterrupted):
            memory.dream(recipe=BRIEF)
    memory.ledger.put_state(ANA, DreamState(memory.dreams()[0].id))
    [before] = memory.dreams()
    assert memory.dream(recipe=BRIEF).status == "nothing"
    assert memory.dreams()[0] == before


def stop_in_the_end(memory: HybridMemory) -> Any:
    from shutil import rmtree

    def remove(path: Path, **given: Any) -> None:
        if Path(path) == memory.folder.dream(ANA):
            raise KeyboardInterrupt
        rmtree(path, **given)

    return remove


def test_what_a_stopped_dream_registered_is_never_promoted(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    record = memory.adapters.get("v0001")
    memory.ledger.save_adapter(replace(record, version="v0002", status="candidate", dream="stopped"))
    (memory.adapters.path("v0001").parent / "v0009").mkdir()
    memory.dream(recipe=BRIEF)
    assert memory.adapters.get("v0002").status == "rejected"
    assert on_disk(memory) == ["v0001"]


# ---- extraction and curation, with a reader that has the skill


def remembered(memory: HybridMemory) -> list[Fact]:
    return memory.ledger.facts(ANA)


def test_episodes_are_read_once(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-02-01")
    memory.add("Ben lives in Oslo.", trust="web")
    reader = FakeModel()
    first = read(memory, reader)
    asked = reader.calls["facts"]
    second = read(memory, reader)
    assert (first["episodes"], second["episodes"]) == (2, 0)
    assert reader.calls["facts"] == asked > 0
    [fact] = remembered(memory)
    assert (fact.subject, fact.valid_from.month) == ("Ana", 2)
    assert fact.recorded_at.year == fact.valid_from.year == 2026
    assert memory.ledger.unextracted(ANA) == []


def test_a_flood_that_would_replace_most_of_what_stands_is_refused(memory: HybridMemory) -> None:
    people = [f"Person{n}" for n in "ABCDEFGH"]
    for name in people:
        memory.add_fact(name, "lives in", "Lisbon", valid_from="2026-01-01")
    for name in people:
        memory.add(f"{name} lives in Oslo.")
    counts = read(memory, FakeModel())
    assert (counts["refused"], counts["episodes"], counts["superseded"]) == (8, 0, 0)
    assert {fact.object for fact in remembered(memory)} == {"Lisbon"}
    assert len(memory.ledger.unextracted(ANA)) == 8


def test_the_bound_is_on_the_whole_night_and_not_on_each_batch(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle, "EPISODES_AT_ONCE", 4)
    people = [f"Person{n}" for n in "ABCDEFGHIJKL"]
    for name in people:
        memory.add_fact(name, "lives in", "Lisbon", valid_from="2026-01-01")
    for name in people:
        memory.add(f"{name} lives in Oslo.")
    counts = read(memory, FakeModel())
    assert (counts["superseded"], counts["refused"]) == (4, 4)
    assert [fact.object for fact in remembered(memory)].count("Lisbon") == 8


def test_a_long_history_may_replace_its_own_values(memory: HybridMemory) -> None:
    for month in range(1, 10):
        memory.add(f"Ana lives in Town{month}.", at=f"2025-0{month}-01")
    counts = read(memory, FakeModel())
    assert (counts["refused"], counts["episodes"], counts["superseded"]) == (0, 9, 8)
    assert [fact.object for fact in remembered(memory)] == ["Town9"]
