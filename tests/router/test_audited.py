from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hybridmem.core.records import Answer
from hybridmem.models.base import Generation
from hybridmem.models.together import Together
from hybridmem.router.audited import may_be_told
from hybridmem.router.calibration import Calibration
from hybridmem.router.signals import Evidence
from tests.dreaming.nights import fact, items_of
from tests.router.test_policy import DREAMT, World

TOWN = fact("f1", "Ana", "Porto Alegre do Norte")
OTHER = fact("f2", "Ben", "Oslo")
ASKED = items_of(TOWN)[0].question


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.know(TOWN, OTHER)
    world.ledger.save_items(items_of(TOWN))
    return world


def aloud(world: World, question: str = ASKED) -> tuple[Answer, list[str]]:
    """The answer, which is the one without a listener, and what was told of it."""
    told: list[str] = []
    answer = world.router.answer_aloud(question, told.append)
    (quiet,) = world.router.answer([question])
    assert (answer.text, answer.route, answer.confidence, answer.evidence, answer.signals, answer.prompt_tokens) == (
        quiet.text,
        quiet.route,
        quiet.confidence,
        quiet.evidence,
        quiet.signals,
        quiet.prompt_tokens,
    )
    assert all(answer.text.startswith(text) for text in told)
    return answer, told


def test_what_the_ledger_decides_is_told_word_by_word(world: World) -> None:
    world.dream({ASKED: TOWN.object}, TOWN)
    answer, told = aloud(world)
    assert (answer.text, answer.route) == (TOWN.object, "weights")
    assert told == ["Porto", "Porto Alegre", "Porto Alegre do", "Porto Alegre do Norte"]


def test_the_first_word_comes_before_the_search_has_ended(world: World) -> None:
    world.dream({ASKED: TOWN.object}, TOWN)
    first = threading.Event()
    waited: list[bool] = []
    world.meanwhile = lambda: waited.append(first.wait(10))
    answer = world.router.answer_aloud(ASKED, lambda text: first.set())
    assert (answer.text, waited) == (TOWN.object, [True])


@pytest.mark.parametrize("case", ["other words", "failed audit", "tainted", "news", "a day", "no adapter"])
def test_everything_else_waits_for_the_search(world: World, case: str) -> None:
    if case != "no adapter":
        world.dream({ASKED: TOWN.object}, TOWN, right=3 if case == "failed audit" else 4)
    if case == "tainted":
        world.know(fact("f9", "Ana", "Lima", valid_from=DREAMT + timedelta(days=1)))
    if case == "news":
        world.hear("Ana has moved to Lima.", DREAMT + timedelta(hours=5))
    question = {"other words": "In which town is Ana at home?", "a day": f"{ASKED[:-1]} yesterday?"}.get(case, ASKED)
    assert aloud(world, question)[1] == []


def test_news_on_something_else_changes_nothing(world: World) -> None:
    world.dream({ASKED: TOWN.object}, TOWN)
    world.hear("The train was late.", DREAMT + timedelta(hours=5), score=0.1)
    assert aloud(world)[1]


def test_what_the_search_brings_up_has_the_last_word(world: World) -> None:
    """Nothing that was written says so, and yet the search ranks it first."""
    world.dream({ASKED: TOWN.object}, TOWN)
    world.hear("We moved, as you may have heard.", DREAMT + timedelta(hours=5), score=3.0)
    aloud(world)


def said(text: str) -> Generation:
    return Generation(text, 5, 2, -0.02, 0.99, 4.0, 0.1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Porto", True),
        ("porto.", True),
        ("Port", True),
        ("Porto and more", False),
        ("Lima", False),
        ("", False),
    ],
)
def test_only_the_facts_own_value_is_told(text: str, told: bool) -> None:
    known = Evidence("f1", "Porto", names_subject=True, consolidated=True, audited=1.0)
    assert may_be_told(said(text), known, Calibration()) is told


def test_what_is_too_unsure_is_held_back() -> None:
    known = Evidence("f1", "Porto", names_subject=True, consolidated=True, audited=1.0)
    assert not may_be_told(said("Porto"), known, Calibration(threshold=0.999))


def test_a_promotion_while_answers_are_given_mixes_no_two_adapters(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.know(TOWN)
    says = {world.dream({ASKED: "Lima"}, TOWN): "Lima", world.dream({ASKED: "Cusco"}, TOWN): "Cusco"}
    router = replace(world.router, model=Together(world.model))
    given: list[Answer] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            given.extend(router.answer([ASKED], "weights"))

    with ThreadPoolExecutor(3) as asking:
        running = [asking.submit(ask) for _ in range(3)]
        for version in [*says] * 10:
            before = len(given)
            world.registry.promote(version)
            while len(given) < before + 4 and not any(each.done() for each in running):
                time.sleep(0.001)
        ended.set()
        for each in running:
            each.result()
    assert all(answer.adapter and answer.text == says[answer.adapter] for answer in given)
    assert {answer.adapter for answer in given} == set(says)
