"""What a new fact does to the others of its slot, on plain records: time, trust and cardinality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.records import Fact, Trust
from hybridmem.stores.ledger.fact_timeline import Outcome, holds, resolve, resolve_each, settled, valid_at
from hybridmem.testing.ledger_samples import day, fact


def run(arrivals: Sequence[tuple[str, int] | tuple[str, int, Trust]]) -> dict[str, Fact]:
    """Put (object, day, trust) triples one after the other; returns the slot's facts."""
    facts: dict[str, Fact] = {}
    for position, (value, starts, *trust) in enumerate(arrivals):
        new = fact(f"f{position}", value, starts, trust=trust[0] if trust else "user")
        resolution = resolve(new, list(facts.values()), several=False)
        stored = replace(resolution.fact, position=position) if resolution.is_new else resolution.fact
        facts |= {f.id: f for f in (*resolution.written[1:], stored)}
    return facts


def outcomes(arrivals: Sequence[tuple[str, int] | tuple[str, int, Trust]], *, several: bool = False) -> list[Outcome]:
    """What each of the (object, day, trust) triples is when it arrives."""
    facts = [
        fact(f"f{number}", value, starts, trust=trust[0] if trust else "user")
        for number, (value, starts, *trust) in enumerate(arrivals)
    ]
    return [each.outcome for each in resolve_each(facts, [], {"lives in"} if several else ())]


@given(st.lists(st.tuples(st.sampled_from(["Lisbon", "Oslo", "Rome", "Porto"]), st.integers(0, 6)), min_size=1))
def test_at_each_moment_at_most_one_value_holds_and_exactly_one_is_current(arrivals: list[tuple[str, int]]) -> None:
    facts = run(arrivals)
    assert sum(f.current for f in facts.values()) == 1
    for moment in range(-1, 8):
        assert sum(valid_at(f, day(moment)) for f in facts.values()) <= 1
    assert all(f.current == (f.superseded_by is None) for f in facts.values())
    assert all(f.superseded_by in facts for f in facts.values() if f.superseded_by)


TRUST: tuple[Trust, ...] = get_args(Trust)
VALUES = st.sampled_from(["Lisbon", "Oslo", "Rome"])


@given(st.lists(st.tuples(VALUES, st.integers(0, 6), st.sampled_from(TRUST)), min_size=2))
def test_no_fact_ends_one_of_higher_trust(arrivals: list[tuple[str, int, Trust]]) -> None:
    before, after = run(arrivals[:-1]), run(arrivals)
    trust = arrivals[-1][2]
    for id, old in before.items():
        if TRUST.index(old.trust) < TRUST.index(trust):
            assert (after[id].valid_to, after[id].retired_at) == (old.valid_to, old.retired_at)
            assert (after[id].superseded_by, after[id].quarantined) == (old.superseded_by, old.quarantined)
    (current,) = (f for f in after.values() if f.current and not f.quarantined)
    assert TRUST.index(current.trust) <= TRUST.index(trust), "what is trusted less does not stand in its place"


def test_a_weaker_fact_that_begins_later_does_not_end_a_stronger_one_in_either_order() -> None:
    weaker, stronger = ("Oslo", 5, "web"), ("Lisbon", 1, "user")
    first = run([weaker, stronger])
    assert [f.object for f in first.values() if f.current and not f.quarantined] == ["Lisbon"]
    assert not any(valid_at(first["f0"], day(moment)) for moment in range(-1, 8))
    second = run([stronger, weaker])
    assert [f.object for f in second.values() if f.current and not f.quarantined] == ["Lisbon"]


@given(st.lists(st.tuples(VALUES, st.integers(0, 6), st.sampled_from(TRUST)), min_size=1))
def test_one_value_at_a_time_holds_outside_quarantine_whatever_the_trust(
    arrivals: list[tuple[str, int, Trust]],
) -> None:
    trusted = [f for f in run(arrivals).values() if not f.quarantined]
    assert sum(f.current for f in trusted) == 1
    for moment in range(-1, 8):
        assert sum(valid_at(f, day(moment)) for f in trusted) <= 1


def test_every_outcome() -> None:
    assert outcomes([("Lisbon", 0)]) == ["added"]
    assert outcomes([("Lisbon", 0), ("lisbon.", 3)])[1:] == ["merged"]
    assert outcomes([("Lisbon", 0), ("Oslo", 3)])[1:] == ["superseded"]
    assert outcomes([("Lisbon", 3), ("Oslo", 0)])[1:] == ["late"]
    assert outcomes([("Lisbon", 0), ("Oslo", 3), ("Lisbon", 6)])[2:] == ["disjoint"]
    assert outcomes([("Oslo", 4), ("Lisbon", 6), ("Lisbon", 2)])[1:] == ["superseded", "disjoint"]
    assert outcomes([("Lisbon", 0), ("Oslo", 3, "web")])[1:] == ["contradiction"]


def test_trust_decides_only_where_something_would_be_ended() -> None:
    assert outcomes([("Lisbon", 0), ("Lisbon", 3, "web")])[1:] == ["merged"]
    assert outcomes([("Lisbon", 3), ("Oslo", 0, "web")])[1:] == ["late"]
    assert outcomes([("Lisbon", 0, "web"), ("Oslo", 3, "web")])[1:] == ["superseded"]
    assert outcomes([("Lisbon", 0, "web"), ("Oslo", 3, "agent")])[1:] == ["superseded"]
    assert outcomes([("Lisbon", 0), ("Oslo", 3, "web")], several=True)[1:] == ["added"]


def test_a_relation_with_several_values_replaces_none_and_still_merges() -> None:
    assert outcomes([("tea", 0), ("chess", 3), ("tea", 5), ("go", -2)], several=True) == [
        "added",
        "added",
        "merged",
        "added",
    ]


def test_an_equal_value_of_lower_trust_does_not_reach_back_over_a_trusted_one() -> None:
    facts = run([("Oslo", 0), ("Lisbon", 6), ("Lisbon", 3, "web")])
    assert [(f.object, f.valid_from, f.valid_to) for f in facts.values()] == [
        ("Oslo", day(0), day(6)),
        ("Lisbon", day(6), None),
    ]


def test_a_contradiction_names_what_it_would_have_ended() -> None:
    trusted = fact("f1")
    resolution = resolve(fact("f2", "Oslo", 3, trust="web"), [trusted], several=False)
    assert (resolution.contradicts, resolution.changes) == ((trusted,), ())
    assert resolution.fact == replace(fact("f2", "Oslo", 3, trust="web"), quarantined=True, replaces=False)


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


def _spans(facts: Sequence[Fact]) -> list[tuple[object, ...]]:
    return [(f.object, f.valid_from, f.valid_to, f.superseded_by, f.current, f.quarantined) for f in facts]


CITIES = ["Lisbon", "Oslo", "Rome", "Porto", "Bergen", "Turin"]


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(TRUST)), min_size=1, max_size=6), st.data())
def test_what_goes_leaves_its_slot_as_if_it_had_never_come(
    arrivals: list[tuple[int, Trust]], data: st.DataObject
) -> None:
    """Of any fact, in any order of arrival, trusted or not; what was quarantined for its sake stays there."""
    put = [(city, starts, trust) for city, (starts, trust) in zip(CITIES, arrivals, strict=False)]
    facts = run(put)
    gone = data.draw(st.sampled_from(sorted(facts)))
    left = {id: f for id, f in facts.items() if id != gone}
    after = left | {change.before.id: change.after for change in settled(list(left.values()), day(70))}
    never: dict[str, Fact] = {}
    for id, (city, starts, trust) in zip(facts, put, strict=True):
        if id == gone or facts[id].quarantined:
            continue
        placed = resolve(fact(id, city, starts, trust=trust), list(never.values()), several=False)
        never |= {f.id: f for f in placed.written[1:]} | {id: replace(placed.fact, position=facts[id].position)}
    trusted = [f for f in never.values() if not f.quarantined]
    if len(trusted) == len(never):
        assert _spans([after[f.id] for f in trusted]) == _spans(trusted)
    assert settled(list(after.values()), day(70)) == [], "nothing is left to settle"


@given(st.lists(st.tuples(VALUES, st.integers(0, 6), st.sampled_from(TRUST)), min_size=1))
def test_what_was_put_is_settled(arrivals: list[tuple[str, int, Trust]]) -> None:
    assert settled(list(run(arrivals).values()), day(70)) == []


def test_the_same_value_in_two_intervals_is_two_facts() -> None:
    first = resolve(fact("f1", starts=0, valid_to=day(2)), [], several=False).fact
    again = resolve(fact("f2", starts=6), [first], several=False)
    assert (again.outcome, again.changes) == ("disjoint", ())
    assert [valid_at(first, day(n)) or valid_at(again.fact, day(n)) for n in (1, 3, 7)] == [True, False, True]
    meets = resolve(fact("f3", starts=1), [first, again.fact], several=False)
    assert (meets.outcome, meets.fact.id, meets.fact.valid_to) == ("merged", "f1", day(2))


def test_an_end_that_is_stated_later_ends_the_fact() -> None:
    stored = resolve(fact("f1"), [], several=False).fact
    ended = resolve(fact("f2", starts=0, valid_to=day(4)), [stored], several=False)
    assert (ended.outcome, ended.fact.id, ended.fact.valid_to) == ("merged", "f1", day(4))
    assert resolve(fact("f2", valid_to=day(4), trust="web"), [stored], several=False).fact.valid_to is None


def test_a_value_of_a_day_to_come_takes_its_place_on_that_day() -> None:
    present = resolve(fact("f1", recorded_at=day(1)), [], several=False).fact
    coming = resolve(fact("f2", "Oslo", 50, recorded_at=day(2)), [present], several=False)
    (change,) = coming.changes
    assert (change.after.valid_to, change.after.superseded_by, change.after.current) == (day(50), "f2", True)
    facts = (coming.fact, change.after)
    assert [[f.object for f in facts if holds(f, day(n))] for n in (3, 50)] == [["Lisbon"], ["Oslo"]]


def test_a_clock_that_is_set_back_undoes_nothing() -> None:
    old = resolve(fact("f1", starts=3, recorded_at=day(3)), [], several=False).fact
    new = resolve(fact("f2", "Oslo", 4, recorded_at=day(4)), [old], several=False)
    assert [f.object for f in new.written if holds(f, day(1))] == ["Oslo"]


def test_an_extracted_fact_joins_what_a_person_set_aside() -> None:
    aside = fact("f1", quarantined=True, trust="agent")
    told = resolve(fact("f2", sources=("e1",), trust="agent"), [aside], several=False)
    assert (told.outcome, told.fact.id, told.fact.quarantined) == ("merged", "f1", True)
    assert not resolve(fact("f2", sources=("e1",)), [aside], several=False).fact.quarantined, "the user is trusted more"
    assert not resolve(fact("f2", trust="agent"), [aside], several=False).fact.quarantined, "a person states it"
