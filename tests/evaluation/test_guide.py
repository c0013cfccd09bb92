"""The guide's examples run, and it names everything that the benchmark reports."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from hybridmem.continual import registry as strategies
from tests.evaluation.suites.test_forgetting import CONTRACT

GUIDE = Path(__file__).parents[2] / "docs" / "forgetting.md"


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.failed == 0 and result.attempted >= 8


def test_the_stream_in_the_guide_is_the_one_that_is_read(tmp_path):
    from hybridmem.evaluation.stream import read

    lines = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    (tmp_path / "s.jsonl").write_text("\n".join([lines[0], lines[0].replace("f1", "f2"), *lines[1:]]), encoding="utf-8")
    assert len(read(tmp_path / "s.jsonl").events) == 4


@pytest.mark.parametrize(
    "name", [*strategies.names(), *CONTRACT[1:12], "mean_kl", "break_even_questions", "texts_left_out", "gated"]
)
def test_it_explains_every_strategy_and_figure(name):
    assert f"`{name}`" in GUIDE.read_text(encoding="utf-8")
