"""One answer rests on one moment: a promotion, a rollback or a deletion in its middle changes nothing in it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import CorruptAdapter
from hybridmem.core.records import Route
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.models.base import Generation
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import Message
from hybridmem.retrieval.pipeline import Found, Retrieval
from hybridmem.router.calibration import Calibration
from hybridmem.router.feedback import GradedQuestions
from hybridmem.router.policy import AuditQuestion, Router
from hybridmem.stores.index.follower import Indexes
from hybridmem.stores.index.inmemory import InMemoryGraphIndex, InMemoryLexicalIndex, InMemoryVectorIndex
from tests.dreaming.nights import ANA
from tests.router.test_policy import LISBON, OSLO, WHERE, World


class Interrupted(FakeModel):
    """Something happens `before` its next answer or `before_loading` its next adapter; it notes what it ran with."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], object] = lambda: None
        self.before_loading: Callable[[], object] = lambda: None
        self.loaded: list[str | None] = []

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        happens, self.before_loading = self.before_loading, lambda: None
        happens()
        self.loaded.append(adapter and adapter.name)
        with super().adapted(adapter):
            yield

    def generate(self, prompts: Sequence[Sequence[Message]], **given: Any) -> list[Generation]:
        happens, self.before = self.before, lambda: None
        happens()
        return super().generate(prompts, **given)


@pytest.fixture
def model() -> Interrupted:
    return Interrupted()


@pytest.fixture
def world(tmp_path: Path, model: Interrupted) -> World:
    return World(tmp_path, model)


def once(world: World, work: Callable[[], object]) -> Callable[[], None]:
    def happen() -> None:
        world.meanwhile = lambda: None
        work()

    return happen


@pytest.mark.parametrize("moment", ["search", "load", "generate"])
@pytest.mark.parametrize("route", [None, "weights", "both"])
def test_adapter_weights_and_audits_of_an_answer_belong_together(
    world: World, model: Interrupted, moment: str, route: Route | None
) -> None:
    """A dream promotes another adapter, which says something else and failed half of its audits, in the middle."""
    world.know(LISBON)
    first = world.dream({WHERE: "Lisbon"}, LISBON, right=4)
    second = world.train({WHERE: "Porto"}, LISBON, right=2)

    def promote() -> None:
        world.registry.promote(second)

    match moment:
        case "search":
            world.meanwhile = once(world, promote)
        case "load":
            model.before_loading = promote
        case _:
            model.before = promote
    found = world.ask(route=route)
    assert (found.adapter, found.text, model.loaded[0]) == (first, "Lisbon", first)
    assert second not in model.loaded
    if route != "weights":
        assert found.signals["audited"] == 1.0
    if moment != "search" or route != "weights":
        after = world.ask(route="weights")
        assert (after.adapter, after.text) == (second, "Porto")


def replaced(world: World, *, removed: bool = True) -> tuple[str, str, Callable[[], None]]:
    """The active version, the next one, and what promotes that and takes the files of the former."""
    world.know(LISBON)
    first = world.dream({WHERE: "Lisbon"}, LISBON, right=4)
    second = world.train({WHERE: "Porto"}, LISBON, right=3)

    def replace() -> None:
        world.registry.promote(second)
        if removed:
            world.registry.remove(first)

    return first, second, replace


@pytest.mark.parametrize("moment", ["search", "load"])
@pytest.mark.parametrize("route", [None, "both"])
def test_weights_that_are_removed_in_the_middle_leave_the_answer_to_those_that_came_after(
    world: World, model: Interrupted, moment: str, route: Route | None
) -> None:
    first, second, replace = replaced(world)
    if moment == "search":
        world.meanwhile = once(world, replace)
    else:
        model.before_loading = replace
    found = world.ask(route=route)
    assert found.adapter == second
    assert found.signals["audited"] == 0.5
    assert not world.registry.path(first).exists()


def test_weights_that_are_removed_without_a_successor_leave_the_answer_to_retrieval(world: World) -> None:
    world.know(LISBON)
    first = world.dream({WHERE: "Lisbon"}, LISBON)

    def remove() -> None:
        world.registry.promote(None)
        world.registry.remove(first)

    world.meanwhile = once(world, remove)
    found = world.ask()
    assert (found.text, found.route, found.adapter) == ("Lisbon", "retrieval", None)


def test_a_model_that_misses_a_file_says_so_in_one_line(world: World, model: Interrupted) -> None:
    """The files were there when they were hashed."""
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)

    def gone() -> None:
        raise FileNotFoundError(2, "No such file or directory", "adapter_model.safetensors")

    model.before_loading = gone
    with pytest.raises(CorruptAdapter, match="v0001 were removed while they were loaded: promote another version"):
        world.ask()


def test_two_that_lack_their_files_are_one_error(world: World) -> None:
    _, second, replace = replaced(world)

    def lose_both() -> None:
        replace()
        shutil.rmtree(world.registry.path(second))

    world.meanwhile = once(world, lose_both)
    with pytest.raises(CorruptAdapter, match="v0002 lacks its file"):
        world.ask()


def test_an_explanation_is_of_one_adapter(world: World, model: Interrupted) -> None:
    first, second, replace = replaced(world, removed=False)
    model.before = replace
    told = world.router.explain(WHERE)
    assert {told.answer.adapter, *(told.routes[route].answer.adapter for route in ("weights", "both"))} == {first}
    assert (told.known.audited, second in model.loaded) == (1.0, False)


def test_audits_are_observed_of_one_adapter(world: World, model: Interrupted) -> None:
    _, second, replace = replaced(world, removed=False)
    model.before_loading = replace
    world.router.calibrate([AuditQuestion(WHERE, "Lisbon", LISBON.id)] * 2)
    known = world.ledger.get_state(ANA, GradedQuestions)
    observed = [each.weights for each in known.audits] if known else []
    assert [(o.features["audited"], o.right) for o in observed if o] == [(1.0, True), (1.0, True)]
    assert second not in model.loaded


def test_a_batch_is_answered_with_one_calibration(world: World, model: Interrupted) -> None:
    world.know(OSLO)
    world.meanwhile = once(world, lambda: world.ledger.put_state(ANA, Calibration(threshold=0.999, feasible=True)))
    assert [answer.route for answer in world.router.answer(["Where does Ben live?"] * 2)] == ["retrieval"] * 2
    assert world.ask("Where does Ben live?").route == "abstain"


class Counted:
    """A ledger that counts what it is asked."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.asked[name] += 1
        return getattr(self._ledger, name)


@pytest.mark.parametrize("questions", [1, 3])
@pytest.mark.parametrize("route", [None, "both", "retrieval", "weights"])
def test_an_answer_reads_the_ledger_once(world: World, tmp_path: Path, route: Route | None, questions: int) -> None:
    """Two reads for the snapshot, and for each question its search's own, the hits' records and the turns around, and
    the exercises of the fact that the weights hold."""
    world.know(LISBON, OSLO)
    world.dream({WHERE: "Lisbon"}, LISBON)
    ledger: Any = Counted(world.ledger)
    indexes = Indexes(
        ledger, InMemoryVectorIndex(), InMemoryLexicalIndex(), InMemoryGraphIndex(), HashingEmbedder(), tmp_path
    )
    indexes.catch_up()
    retrieval = Retrieval(ledger, indexes.vectors, indexes.lexical, indexes.graph, indexes.embedder)

    def find(question: str) -> Found:
        return retrieval.find(ANA, question)

    router = Router(ledger, world.registry, world.model, ANA, find)
    ledger.asked.clear()
    answers = router.answer([WHERE] * questions, route)
    assert {answer.text for answer in answers} == {"Lisbon"}
    searches = 0 if route == "weights" else questions
    snapshot_reads = Counter({"active_weights": 1, "get_state": 1})
    assert ledger.asked == snapshot_reads + Counter({"get_many": searches, "around": searches, "items": searches})
    ledger.asked.clear()
    router.explain(WHERE)
    assert ledger.asked == snapshot_reads + Counter({"get_many": 1, "around": 1, "items": 1})
