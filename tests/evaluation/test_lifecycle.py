"""One lifecycle of a stream: what a memory is given, in which order, and what is counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.evaluation.lifecycle import Lifecycle, dream_recipe
from hybridmem.evaluation.stream import Stream, StreamDelete, StreamFact
from tests.evaluation.double import DoubleMemory

FACTS = tuple(
    StreamFact(1, id, f"{id} is {value}.", value, (f"{id}?",)) for id, value in (("a", "Riga"), ("b", "harp"))
)
STREAM = Stream((*FACTS, StreamDelete(2, "a")))
RECIPE = recipes.load("default")


def test_a_day_is_lived_in_order_and_ends_in_a_dream():
    memory = DoubleMemory(STREAM)
    ticks = itertools.count()
    life = Lifecycle(memory, RECIPE, clock=lambda: float(next(ticks)))
    for night in STREAM.nights:
        life.live(night, STREAM.on(night))
    assert memory.calls == ["add a is Riga.", "add b is harp.", "dream default", "delete a is Riga.", "dream default"]
    assert [(night.added, night.deleted, night.seconds) for night in life.nights] == [(2, 0, 1.0), (0, 1, 1.0)]
    assert [(night.verdict, night.adapter, night.trained_tokens) for night in life.nights] == [
        ("promoted", "v1", 100),
        ("promoted", "v2", 200),
    ]


def test_without_a_recipe_nothing_is_dreamt():
    memory = DoubleMemory(STREAM)
    night = Lifecycle(memory, None).live(1, STREAM.on(1))
    assert (night.verdict, night.adapter, night.trained_tokens, night.report) == ("nothing", None, 0, None)
    assert memory.nights == 0 and len(memory.store) == 2


def test_a_day_without_events_is_a_night():
    memory = DoubleMemory(STREAM)
    assert Lifecycle(memory, RECIPE).live(7).night == 7
    assert memory.calls == ["dream default"]


@pytest.mark.parametrize("name", [name for name in strategies.names() if strategies.get(name).trains])
def test_a_strategy_changes_the_strategy_of_a_recipe_and_nothing_else(name):
    assert dream_recipe(strategies.get(name)) == replace(RECIPE, strategy=name)


def test_the_gate_is_a_choice_of_its_own():
    replay, ungated = strategies.get("replay"), replace(RECIPE, gate=None)
    assert dream_recipe(replay, gate=False) == ungated
    assert dream_recipe(replay, ungated, gate=True).gate == GateSettings()
    assert dream_recipe(replay, ungated).gate is None
    strict = replace(RECIPE, gate=GateSettings(min_learning_accuracy=1.0))
    assert dream_recipe(replay, strict, gate=True).gate == strict.gate


def test_an_unknown_recipe_is_named():
    with pytest.raises(InvalidInput, match="no recipe 'magic'"):
        dream_recipe(strategies.get("replay"), "magic")
