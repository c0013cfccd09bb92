"""What the router says of its own choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.models.prompts import REFUSAL
from hybridmem.models.prompts import answer as prompt
from tests.router.test_policy import DREAMT, LISBON, OSLO, WHERE, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_every_route_says_what_it_says_when_it_is_forced(world: World) -> None:
    world.know(LISBON, OSLO)
    world.dream({WHERE: "Lisbon"}, LISBON)
    told = world.router.explain(WHERE)
    assert list(told.routes) == ["weights", "retrieval", "both"]
    for route, said in told.routes.items():
        forced = world.ask(route=route)
        assert (said.answer.text, said.answer.route, said.answer.adapter) == (forced.text, route, forced.adapter)
        assert said.answer.prompt_tokens == forced.prompt_tokens
    chosen = world.ask()
    assert (told.answer.text, told.answer.route, told.answer.confidence) == (chosen.text, "weights", chosen.confidence)
    assert told.hits == tuple(world.hits)
    assert told.known.consolidated
    assert told.threshold == world.router.calibration().threshold


def test_the_prompts_are_those_that_the_model_reads(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    world.hear("Ana likes Lisbon.", DREAMT, 0.5)
    routes = world.router.explain(WHERE).routes
    assert list(routes["weights"].prompt) == prompt(WHERE)
    read = prompt(WHERE, ["Ana lives in Lisbon.", "Ana likes Lisbon."])
    assert list(routes["retrieval"].prompt) == list(routes["both"].prompt) == read


def test_a_route_that_was_not_asked_has_no_prompt(world: World) -> None:
    told = world.router.explain(WHERE)
    assert (told.answer.route, told.hits) == ("abstain", ())
    assert told.routes["retrieval"].prompt == ()
    assert {said.answer.text for said in told.routes.values()} == {REFUSAL}
