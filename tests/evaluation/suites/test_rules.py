"""The benchmark of the running state's rules: what it claims, and what it says when a claim fails."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation import associative_recall as tasks
from hybridmem.evaluation.suites import rules
from hybridmem.evaluation.suites.rules import Arm, Behaviour
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian

HOLDS = Behaviour("delta", "those", tasks.rewritten, (Arm("delta", (Delta(),), at_least=0.9), Arm("h", (Hebbian(),))))
FAILS = Behaviour(
    "hebbian",
    "those",
    tasks.rewritten,
    (Arm("hebbian", (Hebbian(),), at_least=0.9), Arm("delta", (Delta(),), at_most=0.5)),
    gain=0.1,
)


def test_a_report_says_what_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "BEHAVIOURS", (HOLDS, FAILS))
    report = rules.run(seeds=(0, 1))
    assert not report.held
    assert [[arm.held for arm in each.arms] for each in report.behaviours] == [[True, True], [False, False]]
    assert [arm.claim for arm in report.behaviours[1].arms] == ["≥ 0.90, +0.10 on the next", "≤ 0.50"]
    assert report.seeds == (0, 1)
    monkeypatch.setattr(rules, "BEHAVIOURS", (HOLDS,))
    assert rules.run(seeds=(0,)).held


def test_the_same_seed_gives_the_same_figures() -> None:
    assert rules.measured(HOLDS, (3, 4)) == rules.measured(HOLDS, (3, 4))
    assert rules.measured(FAILS, (3,)) != rules.measured(FAILS, (4,))


def test_of_several_rules_an_arm_takes_the_best_by_seed() -> None:
    both = Behaviour("b", "t", tasks.rewritten, (Arm("both", (Hebbian(), Delta())), Arm("delta", (Delta(),))))
    one, other = rules.measured(both, (0, 1)).arms
    assert (one.mean, one.low, one.high) == (other.mean, other.low, other.high)


def test_no_seed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a seed at least"):
        rules.run(seeds=())


def test_nothing_is_recalled_by_chance() -> None:
    """Values are told from all that were written, not only from those that are asked."""
    forgetful = Delta(decay=1.0)
    assert tasks.plain(forgetful, 0) < 0.05
    assert tasks.every_segment(forgetful, 0) < 0.01
