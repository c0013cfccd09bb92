"""The capacity benchmark: more and more facts until an adapter holds too few of them."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.evaluation import fiction
from hybridmem.evaluation.economics import Economics
from hybridmem.evaluation.stream import StreamFact, make_stream
from hybridmem.evaluation.suites import capacity
from hybridmem.evaluation.suites.capacity import CapacityPoint, run, value_bits


def test_a_value_s_bits_tell_it_from_all_that_could_have_been_drawn() -> None:
    kinds = {relation.object for relation in fiction.relations()}
    assert all(fiction.choices(kind) > 1 for kind in kinds)
    stated = make_stream(0, 1, 60).facts
    assert all(0 < value_bits(fact) < 64 for fact in stated)
    port = next(relation.name for relation in fiction.relations() if relation.object == "port")
    fact = StreamFact(1, "f", "The server is on 8080.", "8080", ("Where is it?",), relation=port)
    assert value_bits(fact) == pytest.approx(math.log2(10_000 - 1024))


def test_one_adapter_is_trained_and_asked() -> None:
    report = run(model="bundled", embedder="hashing", ranks=(1,), targets="q_proj", fewest=2, most=3, threshold=0.1)
    (point,) = report.points
    assert (point.rank, point.facts) == (1, 2)
    assert point.parameters == 4 * (256 + 256), "four layers of attention, each with a row and a column"
    assert 0 <= point.generality <= 1
    assert 0 <= point.bits_per_parameter <= point.bits / point.parameters
    assert point.trained_tokens > point.steps > 0
    assert point.seconds > 0
    assert point.prompt_tokens_saved is not None and point.prompt_tokens_saved > 0
    assert report.breaks_at == {1: None if point.recalled >= 0.1 else 2}


def test_facts_double_until_an_adapter_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def pretended(model: object, stated: tuple[StreamFact, ...], settings: object, *given: object) -> CapacityPoint:
        rank, facts = settings.rank, len(stated)  # type: ignore[attr-defined]
        asked.append((rank, facts))
        recalled = 1.0 if facts <= 5 * rank else 0.5
        return CapacityPoint(rank, 100, facts, recalled, 0.0, 9.0, 0.1, 1, 1, 1.0, None, None)

    monkeypatch.setattr(capacity, "_point", pretended)
    monkeypatch.setattr(capacity, "_answers_cost", lambda *given: Economics(None, None, None, None, None))
    report = run(model="bundled", ranks=(1, 2, 8), fewest=3, most=30, threshold=0.9)
    assert asked == [(1, 3), (1, 6), (2, 3), (2, 6), (2, 12), (8, 3), (8, 6), (8, 12), (8, 24)]
    assert report.breaks_at == {1: 6, 2: 12, 8: None}


@pytest.mark.parametrize("given", [{"ranks": ()}, {"ranks": (0,)}, {"fewest": 9, "most": 8}, {"threshold": 0.0}])
def test_impossible_plans_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="capacity needs"):
        run(model="bundled", **given)  # type: ignore[arg-type]


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="has no weights to train"):
        run(model="fake")
