"""What every ledger must do, as a pytest class: give a subclass a fixture `ledger` that yields an empty one.

class TestMyLedger(LedgerConformance):
    @pytest.fixture
    def ledger(self, tmp_path):
        return MyLedger(tmp_path)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import EmptyText, InvalidDate, InvalidEncoding, InvalidInput, InvalidNamespace, UnknownMemory
from hybridmem.core.records import new_id
from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.ledger_archive_conformance import ArchiveConformance
from hybridmem.testing.ledger_browsing_conformance import BrowsingConformance
from hybridmem.testing.ledger_dreams_conformance import DreamConformance
from hybridmem.testing.ledger_erasure_conformance import ErasureConformance
from hybridmem.testing.ledger_keyed_episodes_conformance import KeyedEpisodesConformance
from hybridmem.testing.ledger_samples import (
    ANA,
    BEN,
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
from hybridmem.testing.ledger_twins import assert_twins_agree, operations

# One ledger serves all examples (each has names of its own), and each test runs for several subclasses.
_SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
    ],
)


class EpisodeConformance:
    def test_an_appended_episode_comes_back_equal_and_positioned(self, ledger: Ledger) -> None:
        sent = episode(
            "e1", "Zoë 🦦 wrote\n\ttwo lines", speaker="Zoë", session="s1", metadata={"tags": ["a", 1, None]}
        )
        (stored,) = ledger.append([sent])
        assert stored.position > 0
        assert ledger.get(ANA, "e1") == stored
        assert (stored.text, stored.metadata, stored.at) == (sent.text, sent.metadata, sent.at)

    def test_positions_increase_and_page(self, ledger: Ledger) -> None:
        stored = ledger.append([episode(f"e{n}") for n in range(7)]) + ledger.append([episode("e7", session="s")])
        positions = [e.position for e in stored]
        assert positions == sorted(set(positions))
        first = ledger.episodes(ANA, limit=3)
        assert first + ledger.episodes(ANA, after=first[-1].position) == stored
        assert [e.id for e in ledger.episodes(ANA, session="s")] == ["e7"]

    def test_appending_is_all_or_none(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        for batch in (
            [episode("e2"), episode("e1")],
            [episode("e3"), episode("e3")],
            [episode("e4"), episode("e5", " ")],
        ):
            with pytest.raises(InvalidInput):
                ledger.append(batch)
        assert [e.id for e in ledger.episodes(ANA)] == ["e1"]
        assert ledger.append([]) == []

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            ({"text": " \n"}, EmptyText),
            ({"text": "a\x00b"}, InvalidEncoding),
            ({"text": "\ud800"}, InvalidEncoding),
            ({"speaker": "\ud800"}, InvalidEncoding),
            ({"session": "a\x00"}, InvalidEncoding),
            ({"namespace": ("users", "")}, InvalidNamespace),
            ({"metadata": {"a": object()}}, InvalidInput),
            ({"metadata": {"a": float("nan")}}, InvalidInput),
        ],
    )
    def test_what_cannot_be_stored_is_refused(
        self, ledger: Ledger, values: dict[str, Any], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            ledger.append([episode("e1", **values)])
        assert ledger.episodes(ANA) == []

    def test_times_are_kept_to_the_microsecond_and_without_a_zone_are_utc(self, ledger: Ledger) -> None:
        at = NOW + timedelta(microseconds=1)
        ledger.append([episode("e1", at=at, recorded_at=NOW.replace(tzinfo=None))])
        assert (episode_of(ledger, "e1").at, episode_of(ledger, "e1").recorded_at) == (at, NOW)

    def test_nothing_crosses_a_namespace(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", session="s"), episode("b1", namespace=BEN, session="s")])
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("g1", "Oslo", 5, namespace=BEN))
        assert fact_of(ledger, "f1").current
        assert [e.id for e in ledger.episodes(ANA)] == ["e1"]
        assert ledger.neighbours(ANA, "e1") == []
        assert list(ledger.get_many(ANA, ["e1", "b1", "f1", "g1", "none"])) == ["e1", "f1"]
        assert ledger.namespaces() == [ANA, BEN]
        calls = (
            lambda: ledger.get(ANA, "b1"),
            lambda: ledger.neighbours(ANA, "b1"),
            lambda: ledger.history(ANA, "b1"),
            lambda: ledger.update_text(ANA, "b1", "new", NOW),
            lambda: ledger.set_quarantine(ANA, "b1", True, NOW),
            lambda: ledger.expire(ANA, "g1", NOW),
            lambda: ledger.erase(ANA, "g1", NOW),
            lambda: ledger.put_fact(fact("f2", sources=("b1",))),
            lambda: ledger.save_items([item("i1", "g1")]),
        )
        for call in calls:
            with pytest.raises(UnknownMemory):
                call()
        ledger.touch(ANA, ["b1"], NOW)
        ledger.mark_extracted(ANA, ["b1"])
        assert ledger.uses(BEN, ["b1"]) == {"b1": 0}
        assert [e.id for e in ledger.unextracted(BEN, 10)] == ["b1"]
        assert [e.text for e in ledger.history(BEN, "g1")] == ["Ana lives in Oslo."]

    def test_neighbours_are_the_turns_around_in_the_same_session(self, ledger: Ledger) -> None:
        ledger.append([episode(f"{s}{n}", session=s) for n in range(5) for s in "ab"] + [episode("alone")])
        assert [e.id for e in ledger.neighbours(ANA, "a2")] == ["a1", "a3"]
        assert [e.id for e in ledger.neighbours(ANA, "a1", distance=2)] == ["a0", "a2", "a3"]
        assert ledger.neighbours(ANA, "alone") == []
        ledger.put_fact(fact("f1"))
        assert ledger.neighbours(ANA, "f1") == []

    def test_new_words_keep_the_old_ones_in_the_history(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "one")])
        ledger.mark_extracted(ANA, ["e1"])
        assert ledger.update_text(ANA, "e1", "one", NOW).text == "one"
        assert ledger.unextracted(ANA, 5) == []
        assert ledger.update_text(ANA, "e1", "two", NOW) == ledger.get(ANA, "e1")
        assert episode_of(ledger, "e1").text == "two"
        assert events(ledger, "e1") == [("added", "one", None), ("updated", "two", None)]
        assert [e.id for e in ledger.unextracted(ANA, 5)] == ["e1"]

    def test_new_words_withdraw_what_stood_on_the_old_ones(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "ferrets", relation="keeps", sources=("e1", "e2"), evidence=2))
        ledger.save_items([item("i1", "f1"), item("i2", "f2")])
        ledger.save_adapter(adapter("v1", ("f1", "f2")))
        ledger.update_text(ANA, "e1", "other words", NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f2"]
        assert (fact_of(ledger, "f2").sources, fact_of(ledger, "f2").evidence) == (("e2",), 1)
        assert [f.id for f in ledger.facts(ANA, as_of=day(1))] == ["f2"]
        assert events(ledger, "f1")[-1] == ("superseded", "Ana lives in Lisbon.", "e1")
        assert [i.id for i in ledger.items(ANA)] == ["i2"]
        assert ledger.adapters(ANA)[0].tainted == ("f1",)

    def test_quarantine_takes_along_the_facts_that_have_no_other_episode(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "ferrets", relation="keeps", sources=("e1", "e2")))
        ledger.save_adapter(adapter("v1", ("f1", "f2")))
        ledger.set_quarantine(ANA, "e1", True, NOW)
        ledger.set_quarantine(ANA, "e1", True, NOW)
        assert [m.quarantined for m in ledger.get_many(ANA, ["e1", "f1", "f2"]).values()] == [True, True, False]
        assert [e.id for e in ledger.unextracted(ANA, 5)] == ["e2"]
        assert ledger.adapters(ANA)[0].tainted == ("f1",)
        ledger.set_quarantine(ANA, "e1", False, NOW)
        assert not fact_of(ledger, "f1").quarantined
        assert [name for name, _, _ in events(ledger, "f1")] == ["added", "quarantined", "released"]
        assert [by for _, _, by in events(ledger, "f1")] == [None, "e1", "e1"]

    def test_extraction_is_marked_and_oldest_first(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2", trust="web"), episode("e3", quarantined=True), episode("e4")])
        ledger.mark_extracted(ANA, ["e1", "unknown"])
        assert [e.id for e in ledger.unextracted(ANA, 10)] == ["e2", "e4"]
        assert [e.id for e in ledger.unextracted(ANA, 1)] == ["e2"]

    def test_uses_are_counted(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1"))
        ledger.touch(ANA, ["e1", "f1", "e1", "unknown"], NOW)
        ledger.touch(ANA, ["e1"], NOW)
        assert ledger.uses(ANA, ["e1", "e2", "f1", "unknown"]) == {"e1": 2, "e2": 0, "f1": 1, "unknown": 0}

    def test_the_outbox_tells_each_consumer_once_and_again_after_a_reset(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        told = ledger.pending("dense")
        assert [(entry.memory, entry.operation, entry.namespace) for entry in told] == [
            ("e1", "upsert", ANA),
            ("e2", "upsert", ANA),
        ]
        assert ledger.pending("dense", limit=1) == told[:1]
        ledger.acknowledge("dense", told[-1].position)
        ledger.acknowledge("dense", told[0].position)
        assert (ledger.pending("dense"), ledger.pending("graph")) == ([], told)
        for home in (None, ANA):
            assert ledger.last_pending(["dense"], home) == 0
            assert (
                ledger.last_pending(["graph"], home)
                == ledger.last_pending(["dense", "graph"], home)
                == told[-1].position
            )
        assert ledger.last_pending(["graph"], ("nobody",)) == 0
        assert ledger.acknowledged_up_to(["dense"]) == told[-1].position
        assert ledger.acknowledged_up_to(["dense", "graph"]) == 0
        assert ledger.counts(ANA)["outbox"] == 0
        ledger.update_text(ANA, "e1", "new", NOW)
        ledger.erase(ANA, "e2", NOW)
        assert [(e.memory, e.operation) for e in ledger.pending("dense")] == [("e1", "upsert"), ("e2", "delete")]
        assert ledger.counts(ANA)["outbox"] == 2
        ledger.reset_consumer("dense")
        assert {e.memory for e in ledger.pending("dense")} >= {"e1"}

    def test_counts_and_a_sound_database(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "Oslo", 3))
        ledger.save_items([item("i1", "f2")])
        ledger.save_adapter(adapter("v1"))
        assert ledger.counts(ANA) == {
            "episodes": 1,
            "facts": 1,
            "retired_facts": 1,
            "training_items": 1,
            "adapters": 1,
            "dreams": 0,
            "outbox": 3,
        }
        assert set(ledger.counts(BEN).values()) == {0}
        assert ledger.check() == []


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

    @_SHARED
    @given(arrivals=st.permutations(range(6)).flatmap(lambda days: st.tuples(st.just(days), st.integers(1, 6))))
    def test_the_order_of_arrival_does_not_change_what_held_when(
        self, ledger: Ledger, arrivals: tuple[list[int], int]
    ) -> None:
        days = arrivals[0][: arrivals[1]]
        slot = new_id("s")
        for number in days:
            ledger.put_fact(fact(new_id("f"), f"city {number}", number, subject=slot))
        for moment in range(-1, 7):
            held = [f.object for f in ledger.facts(ANA, as_of=day(moment)) if f.subject == slot]
            assert held == [f"city {number}" for number in sorted(days) if number <= moment][-1:]
        assert [f.object for f in ledger.facts(ANA) if f.subject == slot] == [f"city {max(days)}"]


class LedgerConformance(
    EpisodeConformance,
    FactConformance,
    ErasureConformance,
    DreamConformance,
    ArchiveConformance,
    BrowsingConformance,
    KeyedEpisodesConformance,
):
    """Everything that `stores.base.Ledger` promises, and agreement with the plainest twin."""

    @_SHARED
    @given(steps=st.lists(operations(), min_size=5, max_size=30))
    def test_it_agrees_with_the_plainest_twin(self, ledger: Ledger, steps: list[Any]) -> None:
        assert_twins_agree(ledger, steps)
