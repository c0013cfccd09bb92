"""What storing a fact must do to the others of its slot: a part of `LedgerConformance`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidDate, InvalidInput, UnknownMemory
from hybridmem.core.records import Fact, new_id
from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.ledger_samples import (
    ANA,
    NOW,
    adapter,
    day,
    episode,
    episode_of,
    events,
    fact,
    fact_of,
    item,
)
from hybridmem.testing.ledger_twins import ONE_LEDGER


def _stated() -> st.SearchStrategy[dict[str, Any]]:
    """What varies in a fact of one of two slots, of which one holds several values."""
    return st.fixed_dictionaries(
        {
            "object": st.sampled_from(["Lisbon", "lisbon", "Oslo", "Rome"]),
            "starts": st.integers(0, 4),
            "relation": st.sampled_from(["lives in", "lives in", "likes"]),
            "trust": st.sampled_from(["user", "agent", "web"]),
            "quarantined": st.sampled_from([False, False, False, True]),
        }
    )


class FactConformance:
    def test_a_new_value_retires_the_old_one_and_what_stated_it(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.save_adapter(adapter("v1", ("f1",)))
        new = ledger.put_fact(fact("f2", "Oslo", 10, ("e2",), subject="the ana", recorded_at=day(70)))
        old = fact_of(ledger, "f1")
        assert (old.valid_to, old.retired_at, old.superseded_by) == (day(10), day(70), "f2")
        assert ledger.facts(ANA) == [new] == [ledger.get(ANA, "f2")]
        assert ledger.facts(ANA, include_retired=True) == [old, new]
        assert [f.id for t in (-1, 0, 9, 10) for f in ledger.facts(ANA, as_of=day(t))] == ["f1", "f1", "f2"]
        assert episode_of(ledger, "e1").superseded_by == "f2"
        assert episode_of(ledger, "e2").superseded_by is None
        assert ledger.adapters(ANA)[0].tainted == ("f1",)
        assert events(ledger, "f1") == [
            ("added", "Ana lives in Lisbon.", None),
            ("superseded", "Ana lives in Lisbon.", "f2"),
        ]

    def test_an_episode_is_superseded_only_once_all_that_it_states_is(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "ferrets", relation="keeps", sources=("e1",)))
        ledger.put_fact(fact("f3", "Oslo", 10))
        assert episode_of(ledger, "e1").superseded_by is None
        ledger.put_fact(fact("f4", "cats", 10, relation="keeps"))
        assert episode_of(ledger, "e1").superseded_by == "f4"
        ledger.put_fact(fact("f5", "a bike", relation="owns", sources=("e1",)))
        assert episode_of(ledger, "e1").superseded_by is None

    def test_a_late_older_value_does_not_replace_the_current_one(self, ledger: Ledger) -> None:
        ledger.append([episode("e2")])
        ledger.put_fact(fact("f1", "Oslo", 10))
        late = ledger.put_fact(fact("f2", "Lisbon", 4, ("e2",)))
        assert (late.current, late.valid_to, late.superseded_by) == (False, day(10), "f1")
        assert late == ledger.get(ANA, "f2")
        assert [f.id for f in ledger.facts(ANA)] == ["f1"]
        assert [f.id for f in ledger.facts(ANA, as_of=day(5))] == ["f2"]
        assert events(ledger, "f2")[-1] == ("superseded", late.text, "f1")
        assert episode_of(ledger, "e2").superseded_by == "f1"
        assert ledger.put_fact(fact("f3", "Lisbon", 4, ("e2",))).id == "f2"

    def test_an_equal_value_gains_evidence(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",), trust="web"))
        again = ledger.put_fact(fact("f2", "lisbon.", 3, ("e2", "e1")))
        assert (again.id, again.sources, again.evidence, again.trust) == ("f1", ("e1", "e2"), 2, "user")
        assert again == ledger.get(ANA, "f1")
        assert (again.valid_from, again.current) == (day(0), True)
        assert ledger.put_fact(fact("f3", sources=("e2",))) == again
        assert [f.id for f in ledger.facts(ANA, include_retired=True)] == ["f1"]
        assert ledger.put_fact(fact("f4", starts=-5)).valid_from == day(-5)

    def test_without_replace_a_slot_holds_several_values(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"), replace=False)
        ledger.put_fact(fact("f2", "Oslo", 5), replace=False)
        assert [f.id for f in ledger.facts(ANA)] == ["f1", "f2"]
        assert ledger.put_fact(fact("f3"), replace=False).id == "f1"
        ledger.put_fact(fact("f4", "Rome", 9))
        assert [f.id for f in ledger.facts(ANA)] == ["f4"]

    def test_without_a_word_on_it_the_relation_decides_whether_values_are_replaced(self, ledger: Ledger) -> None:
        assert "likes" in ledger.multi_valued
        assert "lives in" not in ledger.multi_valued
        for number, (relation, value) in enumerate(
            (("Likes", "tea"), ("likes", "chess"), ("lives in", "Lisbon"), ("lives in", "Oslo"))
        ):
            ledger.put_fact(fact(f"f{number}", value, number, relation=relation), replace=None)
        assert [f.object for f in ledger.facts(ANA)] == ["tea", "chess", "Oslo"]

    @pytest.mark.parametrize("replace", [True, None])
    def test_a_fact_of_lower_trust_retires_nothing_and_waits_in_quarantine(
        self, ledger: Ledger, replace: bool | None
    ) -> None:
        ledger.append([episode("e1"), episode("e2", trust="web")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.save_adapter(adapter("v1", ("f1",)))
        before = ledger.get(ANA, "f1")
        kept = ledger.put_fact(fact("f2", "Mordor", 5, ("e2",), trust="web"), replace=replace)
        assert (kept.current, kept.quarantined, kept.superseded_by) == (True, True, None)
        assert kept == ledger.get(ANA, "f2")
        assert ledger.get(ANA, "f1") == before
        assert [f.id for f in ledger.facts(ANA) if not f.quarantined] == ["f1"]
        assert events(ledger, "f1") == [("added", "Ana lives in Lisbon.", None)]
        assert events(ledger, "f2") == [("added", kept.text, None), ("quarantined", kept.text, "f1")]
        assert episode_of(ledger, "e1").superseded_by is None
        assert ledger.adapters(ANA)[0].tainted == ()
        assert ledger.check() == []

    def test_a_contradiction_that_is_put_again_is_stored_once_and_beside_others(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "Mordor", 5, ("e1",), trust="web"))
        again = ledger.put_fact(fact("f3", "mordor", 6, ("e2",), trust="web"))
        assert (again.id, again.sources, again.quarantined) == ("f2", ("e1", "e2"), True)
        assert ledger.put_fact(fact("f4", "Rohan", 7, trust="tool")).quarantined
        assert [(f.id, f.quarantined) for f in ledger.facts(ANA)] == [("f1", False), ("f2", True), ("f4", True)]

    def test_a_contradiction_takes_its_place_when_it_is_stated_with_enough_trust(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "Oslo", 5, trust="web"))
        stated = ledger.put_fact(fact("f3", "Oslo", 5))
        assert [f.id for f in ledger.facts(ANA) if not f.quarantined] == [stated.id] == ["f3"]
        assert fact_of(ledger, "f1").superseded_by == "f3"

    def test_the_past_that_was_stated_with_higher_trust_is_not_cut_either(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "Oslo", 10))
        assert ledger.put_fact(fact("f3", "Mordor", 5, trust="web")).quarantined
        assert ledger.put_fact(fact("f4", "Oslo", 5, trust="web")).id == "f2"
        assert fact_of(ledger, "f2").valid_from == day(10)
        assert fact_of(ledger, "f1").valid_to == day(10)
        assert not ledger.put_fact(fact("f5", "Rome", -5, trust="web")).quarantined

    def test_a_preview_writes_nothing(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        before = ledger.archive(ANA), ledger.pending("new")
        outcomes = [
            resolution.outcome
            for resolution in ledger.preview(
                [
                    fact("f2", starts=1),
                    fact("f3", "Oslo", 2),
                    fact("f4", starts=3),
                    fact("f5", "Mordor", 4, trust="web"),
                    fact("f6", "Rome", -1),
                    fact("f7", "ferrets", relation="keeps"),
                ]
            )
        ]
        assert outcomes == ["merged", "superseded", "disjoint", "contradiction", "late", "added"]
        assert (ledger.archive(ANA), ledger.pending("new")) == before
        assert ledger.preview([]) == []

    @ONE_LEDGER
    @given(drawn=st.lists(_stated(), max_size=10), put_before=st.integers(0, 5))
    def test_a_preview_is_what_putting_does(self, ledger: Ledger, drawn: list[dict[str, Any]], put_before: int) -> None:
        subject = new_id("s")
        facts = [
            fact(new_id("f"), subject=subject, recorded_at=day(30 + n), **values) for n, values in enumerate(drawn)
        ]
        for each in facts[:put_before]:
            ledger.put_fact(each, replace=None)

        def slot() -> dict[str, Fact]:
            found = ledger.facts(ANA, include_retired=True)
            return {f.id: replace(f, position=0) for f in found if f.subject == subject}

        resolutions = ledger.preview(facts[put_before:])
        for each, resolution in zip(facts[put_before:], resolutions, strict=True):
            before = slot()
            stored = ledger.put_fact(each, replace=None)
            written = {f.id: replace(f, position=0) for f in resolution.written}
            assert replace(stored, position=0) == written[stored.id]
            assert (stored.id not in before) == resolution.is_new
            assert slot() == before | written

    def test_a_quarantined_fact_replaces_nothing_that_is_trusted(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        assert ledger.put_fact(fact("f2", "Mordor", 5, quarantined=True)).current
        assert fact_of(ledger, "f1").current
        ledger.put_fact(fact("f3", "Oslo", 6))
        assert [f.id for f in ledger.facts(ANA)] == ["f2", "f3"]

    def test_an_expired_fact_has_no_successor(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.save_adapter(adapter("v1", ("f1",)))
        ledger.expire(ANA, "f1", day(8))
        ledger.expire(ANA, "f1", day(9))
        old = fact_of(ledger, "f1")
        assert (old.valid_to, old.retired_at, old.superseded_by) == (day(8), day(8), None)
        assert [name for name, _, _ in events(ledger, "f1")] == ["added", "expired"]
        assert ledger.adapters(ANA)[0].tainted == ("f1",)
        assert ledger.put_fact(fact("f2")).current
        with pytest.raises(InvalidInput):
            ledger.expire(ANA, "e1", NOW)

    def test_new_words_for_a_fact(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.save_items([item("i1", "f1")])
        ledger.save_adapter(adapter("v1", ("f1",)))
        assert ledger.update_text(ANA, "f1", "Ana's home is Lisbon.", NOW) == ledger.get(ANA, "f1")
        assert fact_of(ledger, "f1").text == "Ana's home is Lisbon."
        assert ledger.adapters(ANA)[0].tainted == ("f1",)
        assert ledger.items(ANA) == []
        moved = ledger.update_text(ANA, "f1", "Ana lives in Oslo.", NOW, object="Oslo")
        assert moved == ledger.get(ANA, "f1")
        assert fact_of(ledger, "f1").object == "Oslo"
        assert ledger.put_fact(fact("f2", starts=3)).id == "f2", "the old value is another fact"

    def test_the_last_recorded_memory_tells_the_time(self, ledger: Ledger) -> None:
        assert ledger.last_recorded(ANA) is None
        ledger.append([episode("e1", recorded_at=day(9))])
        ledger.put_fact(fact("f1", recorded_at=day(5)))
        assert ledger.last_recorded(ANA) == day(5)
        ledger.erase(ANA, "f1", NOW)
        assert ledger.last_recorded(ANA) == day(9)

    def test_what_cannot_be_a_fact_is_refused(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        with pytest.raises(InvalidDate):
            ledger.put_fact(fact("f2", "Oslo", 5, valid_to=day(4)))
        with pytest.raises(InvalidInput):
            ledger.put_fact(fact("f2", "Oslo", 5, evidence=0))
        with pytest.raises(InvalidInput):
            ledger.put_fact(fact("f1", "Oslo", 5))
        with pytest.raises(UnknownMemory):
            ledger.put_fact(fact("f2", "Oslo", 5, ("f1",)))
        assert [f.id for f in ledger.facts(ANA, include_retired=True)] == ["f1"]

    @ONE_LEDGER
    @given(arrivals=st.permutations(range(6)).flatmap(lambda days: st.tuples(st.just(days), st.integers(1, 6))))
    def test_the_order_of_arrival_does_not_change_what_held_when(
        self, ledger: Ledger, arrivals: tuple[list[int], int]
    ) -> None:
        days = arrivals[0][: arrivals[1]]
        slot = new_id("s")
        for number in days:
            ledger.put_fact(fact(new_id("f"), f"city {number}", number, subject=slot))
        for moment in range(-1, 7):
            values = [f.object for f in ledger.facts(ANA, as_of=day(moment)) if f.subject == slot]
            assert values == [f"city {number}" for number in sorted(days) if number <= moment][-1:]
        assert [f.object for f in ledger.facts(ANA) if f.subject == slot] == [f"city {max(days)}"]
