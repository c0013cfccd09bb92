"""The speed benchmark measures what it says, on a memory small enough for a test."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.evaluation.suites.speed import latency, run, texts


def test_texts_are_distinct_and_repeatable() -> None:
    written = texts(500, Random(7))
    assert len(set(written)) == 500
    assert written == texts(500, Random(7))


def test_latency_is_of_each_call() -> None:
    pauses = {"short": 0.001, "long": 0.05}
    told = latency(lambda name: time.sleep(pauses[name]), ["short"] * 18 + ["long"] * 2)
    assert told.calls == 20
    assert told.p50_ms < 25 < 50 <= told.p95_ms
    assert told.per_second == pytest.approx(20 / (18 * 0.001 + 2 * 0.05), rel=0.5)


def test_a_run_leaves_nothing_behind_and_adds_up(tmp_path: Path) -> None:
    told: list[str] = []
    report = run(
        memories=40,
        singles=5,
        searches=4,
        answers=0,
        embedder=HashingEmbedder(),
        folder=tmp_path,
        progress=lambda step, done, total: told.append(step),
    )
    assert list(tmp_path.iterdir()) == []
    assert told == ["add", "index", "search", "chroma"]
    assert report.search.calls == report.chroma_search.calls == 4
    assert report.answers == {}
    assert report.ratios["single adds, on disk"] == pytest.approx(
        report.single_adds_per_second / report.chroma_single_adds_per_second
    )
    assert all(value > 0 for value in report.ratios.values())
    assert to_json(report)["memories"] == 40


@pytest.mark.parametrize("given", [{"memories": 5, "singles": 5}, {"searches": 0}, {"answers": -1}])
def test_impossible_plans_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="speed needs"):
        run(**given)  # type: ignore[arg-type]
