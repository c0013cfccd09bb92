"""The guide's example runs, and its tables are what the code says and measures."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from hybridmem.evaluation.suites.rules import BEHAVIOURS
from hybridmem.running.rules import files
from hybridmem.running.rules.base import Rule
from hybridmem.running.rules.random_features import RandomFeatures
from tests.running.rules.every_rule import RULES
from tests.running.rules.test_behaviour import figures

GUIDE = Path(__file__).parents[3] / "docs" / "running-state.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GUIDE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]
NEW = 0.03
"""How far another processor's rounding may move a recall."""


def test_the_example_runs() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.failed == 0 and result.attempted >= 6


def test_the_table_of_recalls_is_what_the_bench_measures() -> None:
    shown = [row for row in ROWS if len(row) == 4 and "(" in row[2] and row[2][0].isdigit()]
    measured = [(each, arm) for behaviour in BEHAVIOURS for each in [figures(behaviour)] for arm in each.arms]
    assert [row[1] for row in shown] == [arm.name for _, arm in measured]
    assert [row[3] for row in shown] == [arm.claim for _, arm in measured]
    named = [f"**{each.mechanism}**: {each.task}" if arm is each.arms[0] else "" for each, arm in measured]
    assert [row[0] for row in shown] == named
    means = [float(row[2].partition(" ")[0]) for row in shown]
    assert means == pytest.approx([arm.mean for _, arm in measured], abs=NEW)


def test_the_table_of_bytes_is_what_states_take() -> None:
    shown = {row[0].strip("`"): row[2].replace(",", "") for row in ROWS if len(row) == 6 and row[0].startswith("`")}
    by_name: dict[str, Rule[object]] = {type(rule).__name__: type(rule)() for rule in RULES.values()}
    by_name["RandomFeatures"] = RandomFeatures(width=128)
    assert shown.keys() == by_name.keys()
    for name, bytes_ in shown.items():
        if bytes_.isdigit():
            counts = sum(
                each.nbytes for each in files.tensors(state(by_name[name])).values() if not each.is_floating_point()
            )
            assert files.nbytes(state(by_name[name])) - counts == int(bytes_), name


def state(rule: Rule[object]) -> tuple[object, ...]:
    made: tuple[object, ...] = rule.init(1, 1, 64, 64)
    return made
