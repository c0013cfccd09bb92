"""``hybridmem bench rules``: its tables, and its exit code when a claim fails."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from hybridmem.evaluation import associative_recall as tasks
from hybridmem.evaluation.suites import rules
from hybridmem.evaluation.suites.rules import Arm, Behaviour
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian
from tests.cli.conftest import Command

ARMS = (Arm("delta", (Delta(),), at_least=0.9), Arm("hebbian", (Hebbian(),)))
HOLDS = Behaviour("delta", "what was rewritten", tasks.rewritten, ARMS)
FAILS = Behaviour("hebbian", "what was rewritten", tasks.rewritten, ARMS[::-1], gain=0.1)


def test_a_table_for_each_behaviour(hybridmem: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "BEHAVIOURS", (HOLDS,))
    result = hybridmem("bench", "rules", "--seed", "7")
    assert result.code == 0, result.err
    assert "delta: what was rewritten" in result.out
    row = next(line for line in result.out.splitlines() if line.split()[:1] == ["delta"])
    assert row.split() == ["delta", "1.000", "1.000", "1.000", "≥", "0.90", "yes"]


def test_it_exits_1_when_a_claim_fails(hybridmem: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "BEHAVIOURS", (HOLDS, FAILS))
    result = hybridmem("bench", "rules", "--seed", "7", "--seed", "8", "--json")
    assert result.code == 1
    assert (result.json["held"], result.json["seeds"]) == (False, [7, 8])
    assert [arm["held"] for each in result.json["behaviours"] for arm in each["arms"]] == [True, True, False, True]
