"""What the router takes beside the search and the model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridmem.evaluation.routing.overhead import Overhead, answered, overhead_figures
from hybridmem.models.base import Generation
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import Message
from hybridmem.retrieval.pipeline import Found
from tests.router.test_policy import LISBON, WHERE, World

SLOW = 0.06


class SlowModel(FakeModel):
    def generate(self, prompts: Sequence[Sequence[Message]], **settings: Any) -> list[Generation]:
        time.sleep(SLOW)
        return super().generate(prompts, **settings)


@pytest.mark.parametrize("exact", [False, True])
def test_neither_the_search_nor_the_model_counts(tmp_path: Path, exact: bool) -> None:
    world = World(tmp_path, SlowModel())
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)

    def find(question: str) -> Found:
        time.sleep(SLOW)
        return world.find(question)

    router = replace(world.router, find=find, exact=exact)
    started = time.perf_counter()
    answer, overhead = answered(router, WHERE)
    taken = time.perf_counter() - started
    assert (answer.text, answer.route) == ("Lisbon", "weights")
    assert 0 < overhead.wall <= taken - 2 * SLOW
    assert 0 < overhead.processor <= overhead.wall + 1e-3


def test_a_readers_answers_do_not_count_either(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.know(LISBON)
    started = time.perf_counter()
    answer, overhead = answered(replace(world.router, reader=SlowModel()), WHERE)
    assert answer.route == "retrieval"
    assert overhead.wall <= time.perf_counter() - started - SLOW


def test_the_figures_are_in_milliseconds() -> None:
    found = overhead_figures([Overhead(0.001 * number, 0.002) for number in range(1, 102)])
    assert found == pytest.approx(
        {"of": 101, "wall_ms_p50": 51, "wall_ms_p95": 96, "processor_ms_p50": 2, "processor_ms_p95": 2}
    )
    assert overhead_figures([])["wall_ms_p50"] is None
