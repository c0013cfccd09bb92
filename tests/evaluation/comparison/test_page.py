"""The page: every setting in the table, every strategy in the drawings, nothing from outside."""

from __future__ import annotations

import sys

import pytest

from hybridmem.core.errors import MissingExtra
from hybridmem.evaluation import plots
from hybridmem.evaluation.comparison.page import write_page
from hybridmem.evaluation.comparison.summary import frontier, summarise
from hybridmem.evaluation.comparison.trial import trials
from hybridmem.evaluation.plots import Point
from tests.evaluation.comparison.doubles import STREAM, compared
from tests.evaluation.test_report import Structure

pytest.importorskip("matplotlib", reason="the page's plots need the extra `report`")


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    grid = trials(["replay", "naive", "retrieval"], seeds=[0, 1], learning_rates=(0.1, 0.2), controls=True)
    conditions, results = compared(tmp_path_factory.mktemp("out"), *grid)
    return conditions, summarise(results)


@pytest.fixture(scope="module")
def page(lived, tmp_path_factory):
    conditions, summaries = lived
    path = write_page(tmp_path_factory.mktemp("page"), summaries, conditions, STREAM.nights)
    return path.read_text(encoding="utf-8")


def test_is_well_formed_and_needs_nothing_else(page):
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert len(structure.ids) == len(set(structure.ids))
    assert not {"script", "link", "img", "iframe"} & set(structure.tags)


def test_the_table_has_every_setting(lived, page):
    _, summaries = lived
    assert len(summaries) == 2 * 2 + 1 + 1 + 1
    for each in summaries:
        assert f"<td>{each.setting.label}</td>" in page
    assert "1.000 to 1.000" in page and "±" in page


def test_the_drawings_show_one_rate_of_each_strategy(page):
    assert page.count("Retention matrix, ") == 3  # replay, naive, and the control
    assert "Forgetting curves by age of the facts: " in page
    assert "Retention against drift" in page


def test_drawings_leave_out_what_all_share(tmp_path):
    grid = trials(["replay", "naive", "noop"], learning_rates=(0.1,), token_budget=9, gate=False)
    conditions, results = compared(tmp_path / "out", *grid)
    page = write_page(tmp_path, summarise(results), conditions).read_text(encoding="utf-8")
    assert "Retention matrix, replay:" in page
    assert "<td>replay, lr 0.1, tokens 9, ungated</td>" in page


def test_it_says_what_was_measured(lived, page):
    conditions, _ = lived
    for value in (conditions["base_sha256"], conditions["stream_sha256"], conditions["version"]):
        assert f"<dd>{value}</dd>" in page


def test_without_anything_trained_there_is_no_frontier(tmp_path):
    conditions, results = compared(tmp_path / "out", *trials(["noop"]))
    summaries = summarise(results)
    assert frontier(summaries) == []
    page = write_page(tmp_path, summaries, conditions).read_text(encoding="utf-8")
    assert "Retention against drift" not in page and "Retention matrix" not in page
    assert "Forgetting curves" in page


def test_without_matplotlib_the_extra_is_named(lived, tmp_path, monkeypatch):
    conditions, summaries = lived
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'hybridmem\[plots\]'"):
        write_page(tmp_path, summaries, conditions)


def test_many_series_never_look_alike():
    looks = [(plots._colour(number), plots._marker(number)) for number in range(36)]
    assert len(set(looks)) == 36


def test_the_frontier_is_drawn_and_spoken():
    points = [
        Point("replay", "replay, lr 0.1", 0.02, 0.9),
        Point("naive", "naive", 0.01, 0.2),
        Point("lwf", "lwf", 1, 0),
    ]
    drawn = plots.frontier(points, [points[1], points[0]], "drift, nats per token", "final accuracy")
    assert "the frontier: naive 0.20 at 0.010; replay, lr 0.1 0.90 at 0.020" in drawn
    for name in ("replay", "naive", "lwf"):
        assert f">{name}<" in drawn
