"""The rule of one value at a time, on plain records."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.records import Fact
from hybridmem.stores.ledger.fact_timeline import resolve, valid_at
from hybridmem.testing.ledger_samples import day, fact


def run(arrivals: list[tuple[str, int]]) -> dict[str, Fact]:
    """Put (object, day) pairs one after the other; returns the slot's facts."""
    facts: dict[str, Fact] = {}
    for position, (value, starts) in enumerate(arrivals):
        settlement = resolve(fact(f"f{position}", value, starts), list(facts.values()), replace_others=True)
        stored = settlement.fact if settlement.merged else replace(settlement.fact, position=position)
        facts |= {f.id: f for f in (stored, *settlement.retired, *settlement.shortened)}
    return facts


@given(st.lists(st.tuples(st.sampled_from(["Lisbon", "Oslo", "Rome", "Porto"]), st.integers(0, 6)), min_size=1))
def test_at_each_moment_at_most_one_value_holds_and_exactly_one_is_current(arrivals: list[tuple[str, int]]) -> None:
    facts = run(arrivals)
    assert sum(f.current for f in facts.values()) == 1
    for moment in range(-1, 8):
        assert sum(valid_at(f, day(moment)) for f in facts.values()) <= 1
    assert all(f.current == (f.superseded_by is None) for f in facts.values())
    assert all(f.superseded_by in facts for f in facts.values() if f.superseded_by)


def test_a_late_value_ends_where_the_next_one_begins_and_cuts_the_one_before() -> None:
    facts = run([("Lisbon", 0), ("Oslo", 4), ("Rome", 6), ("Porto", 2)])
    assert [(f.object, f.valid_from, f.valid_to) for f in facts.values()] == [
        ("Lisbon", day(0), day(2)),
        ("Oslo", day(4), day(6)),
        ("Rome", day(6), None),
        ("Porto", day(2), day(4)),
    ]
    assert (facts["f0"].superseded_by, facts["f3"].superseded_by) == ("f3", "f1")


def test_a_value_that_comes_back_is_a_new_fact() -> None:
    facts = run([("Lisbon", 0), ("Oslo", 4), ("Lisbon", 6)])
    assert [f.current for f in facts.values()] == [False, False, True]


def test_a_late_equal_value_reaches_back_only_while_nothing_else_held_between() -> None:
    assert run([("Lisbon", 6), ("Lisbon", 2)])["f0"].valid_from == day(2)
    facts = run([("Oslo", 4), ("Lisbon", 6), ("Lisbon", 2)])
    assert facts["f1"].valid_from == day(6)
    assert facts["f2"].valid_to == day(4)


def test_a_correction_of_the_same_moment_leaves_the_first_value_no_time() -> None:
    facts = run([("Lisbon", 3), ("Oslo", 3)])
    assert facts["f0"].valid_to == facts["f0"].valid_from
    assert facts["f1"].current
