from __future__ import annotations

from datetime import timedelta

import pytest

from hybridmem.core.records import Fact
from hybridmem.dreaming.steps.curate import apply, plan, refused
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from tests.dreaming.nights import ANA, NIGHT, fact


def later(days: float) -> dict[str, object]:
    return {"valid_from": NIGHT + timedelta(days=days), "recorded_at": NIGHT + timedelta(days=max(0, days))}


@pytest.fixture
def ledger() -> InMemoryLedger:
    made = InMemoryLedger()
    made.put_fact(fact("f1", "Ana", "Lisbon"))
    return made


def objects(ledger: InMemoryLedger) -> list[str]:
    return [f.object for f in ledger.facts(ANA)]


def test_nothing_is_planned_for_nothing(ledger: InMemoryLedger) -> None:
    assert plan(ledger, []).accepted == ()


def test_a_newer_value_supersedes(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact("f2", "Ana", "Oslo", **later(1))])
    assert (made.superseded, made.merged, made.retired) == (1, 0, {"f1"})
    assert objects(ledger) == ["Lisbon"]
    apply(ledger, made)
    assert objects(ledger) == ["Oslo"]


def test_an_equal_value_is_merged_and_gains_evidence(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact("f2", "ana", "lisbon.", **later(1))])
    assert (made.superseded, made.merged, made.retired) == (0, 1, frozenset())
    held = list(apply(ledger, made).values())
    assert [(f.id, f.evidence) for f in held] == [("f1", 2)]


def test_a_value_of_lower_trust_does_not_replace(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact("f2", "Ana", "Oslo", trust="agent", **later(1))])
    assert (made.accepted, [f.id for f in made.contradictions], made.superseded) == ((), ["f2"], 0)


@pytest.mark.parametrize("several", [False, True])
def test_a_web_page_cannot_retire_what_the_user_said(several: bool) -> None:
    ledger = InMemoryLedger(multi_valued={"Lives in"} if several else ())
    ledger.put_fact(fact("f1", "Ana", "Lisbon"))
    made = plan(ledger, [fact("f2", "Ana", "Mordor", trust="web", **later(1))])
    assert [f.id for f in made.contradictions] == ([] if several else ["f2"])
    apply(ledger, made)
    assert objects(ledger) == (["Lisbon", "Mordor"] if several else ["Lisbon"])
    assert ledger.facts(ANA)[0].current


def test_what_the_user_said_since_the_plan_is_not_retired_by_it(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact("f2", "Ben", "Oslo", trust="agent", **later(1))])
    ledger.put_fact(fact("f3", "Ben", "Riga"))
    assert [f.quarantined for f in apply(ledger, made).values()] == [True]
    assert ledger.get(ANA, "f3").superseded_by is None


def test_the_plan_and_the_ledger_agree(ledger: InMemoryLedger) -> None:
    made = plan(
        ledger,
        [
            fact("f2", "Ana", "Oslo", **later(1)),
            fact("f3", "Ana", "Lisbon", **later(2)),
            fact("f4", "Ana", "Oslo", trust="agent", **later(3)),
            fact("f5", "Ana", "Lisbon", **later(4)),
        ],
    )
    assert ([f.id for f in made.accepted], [f.id for f in made.contradictions]) == (["f2", "f3", "f5"], ["f4"])
    assert (made.superseded, made.merged, made.retired) == (2, 1, {"f1"})
    apply(ledger, made)
    facts = ledger.facts(ANA, include_retired=True)
    assert sum(f.superseded_by is not None for f in facts) == made.superseded
    assert [f.evidence for f in facts] == [1, 1, 2]


def test_a_value_of_higher_trust_does(ledger: InMemoryLedger) -> None:
    ledger.put_fact(fact("f2", "Ben", "Oslo", trust="agent"))
    assert plan(ledger, [fact("f3", "Ben", "Riga", **later(1))]).retired == {"f2"}


def test_several_values_of_a_many_valued_relation_stand_together(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact(f"l{n}", "Ana", thing, "likes") for n, thing in enumerate(("tea", "chess"))])
    assert made.superseded == 0
    apply(ledger, made)
    assert objects(ledger) == ["Lisbon", "tea", "chess"]


def test_older_news_arrives_late_and_retires_nothing(ledger: InMemoryLedger) -> None:
    made = plan(ledger, [fact("f0", "Ana", "Porto", **later(-9))])
    assert (made.superseded, made.retired) == (0, frozenset())
    apply(ledger, made)
    assert objects(ledger) == ["Lisbon"]
    assert len(ledger.facts(ANA, include_retired=True)) == 2


def test_candidates_that_replace_each_other_count_against_no_bound() -> None:
    moves = [fact(f"m{n}", "Ana", f"Town {n}", **later(n)) for n in range(12)]
    made = plan(InMemoryLedger(), list(reversed(moves)))
    assert (made.superseded, made.retired) == (11, frozenset())
    assert [f.id for f in made.accepted] == [f.id for f in moves]


def test_quarantined_facts_are_no_rivals(ledger: InMemoryLedger) -> None:
    ledger.set_quarantine(ANA, "f1", True, NIGHT)
    made = plan(ledger, [fact("f2", "Ana", "Oslo", trust="agent", **later(1))])
    assert (made.contradictions, made.superseded) == ((), 0)


def test_doing_it_twice_changes_nothing(ledger: InMemoryLedger) -> None:
    def candidates() -> list[Fact]:
        return [fact("f2", "Ana", "Oslo", **later(1)), fact("f3", "Ana", "tea", "likes", **later(1))]

    apply(ledger, plan(ledger, candidates()))
    before = ledger.facts(ANA, include_retired=True)
    apply(ledger, plan(ledger, candidates()))
    assert ledger.facts(ANA, include_retired=True) == before


@pytest.mark.parametrize(
    ("retired", "standing", "answer"), [(5, 0, False), (6, 0, True), (6, 12, False), (7, 12, True), (50, 100, False)]
)
def test_the_bound(retired: int, standing: int, answer: bool) -> None:
    assert refused(retired, standing, 0.5) is answer
