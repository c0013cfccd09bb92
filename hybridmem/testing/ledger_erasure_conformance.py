"""What every ledger must forget when a memory is erased: a part of `LedgerConformance`."""

from __future__ import annotations

import pytest

from hybridmem.core.errors import UnknownMemory
from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.ledger_samples import (
    ANA,
    NOW,
    adapter,
    audit,
    day,
    episode,
    episode_of,
    events,
    fact,
    fact_of,
    item,
)


class ErasureConformance:
    def test_an_erased_episode_takes_along_what_stands_on_it_alone(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "Ana lives in Lisbon with ferrets"), episode("e2"), episode("e3")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(
            fact("f2", "ferrets", relation="keeps", sources=("e1", "e2"), evidence=2, text="She keeps them.")
        )
        ledger.put_fact(fact("f3", "a bike", relation="owns", sources=("e2",), text="She owns a bike."))
        quoting = item(
            "i3", "f3", context=("- Ana  lives in Lisbon with ferrets.", "She owns a bike."), answer="a bike"
        )
        ledger.save_items([item("i1", "f1"), item("i2", "f2", context=(), answer="ferrets"), quoting])
        ledger.save_adapter(adapter("v1", ("f1", "f2")))
        ledger.save_adapter(adapter("v2", ("f2",)))
        ledger.save_audits(ANA, [audit("v1", "f1"), audit("v1", "f2")])
        ledger.touch(ANA, ["e1", "f1", "f2"], NOW)
        erased = ledger.erase(ANA, "e1", NOW)
        assert erased.removed == {"ledger": 2, "history": 2, "training_items": 2, "audits": 1, "uses": 2}
        assert (erased.facts, erased.tainted_adapters) == (("f1",), ("v1",))
        assert list(ledger.get_many(ANA, ["e1", "f1", "f2", "f3"])) == ["f2", "f3"]
        left = fact_of(ledger, "f2")
        assert (left.sources, left.evidence, left.text) == (("e2",), 1, "She keeps them.")
        assert erased.reworded == ()
        assert [i.id for i in ledger.items(ANA)] == ["i2"]
        assert [a.fact for a in ledger.audits(ANA, "v1")] == ["f2"]
        assert [a.tainted for a in ledger.adapters(ANA)] == [("f1",), ()]
        assert ledger.uses(ANA, ["e1", "f1", "f2"]) == {"e1": 0, "f1": 0, "f2": 1}
        operations = {entry.memory: entry.operation for entry in ledger.pending("new")}
        assert operations == {"e1": "delete", "f1": "delete"} | dict.fromkeys(("e2", "e3", "f2", "f3"), "upsert")
        assert ledger.check() == []

    def test_the_history_of_an_erased_memory_has_no_words(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.update_text(ANA, "e1", "two", NOW)
        ledger.erase(ANA, "e1", NOW)
        assert events(ledger, "e1") == [("added", None, None), ("updated", None, None), ("deleted", None, None)]
        with pytest.raises(UnknownMemory):
            ledger.erase(ANA, "e1", NOW)
        with pytest.raises(UnknownMemory):
            ledger.history(ANA, "never there")

    def test_a_fact_of_two_episodes_keeps_the_words_of_the_one_that_stays(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "Psst, Ana lives in Lisbon."), episode("e2", "Ana lives in Lisbon, as you know")])
        ledger.put_fact(fact("f1", sources=("e1", "e2"), evidence=2, text="Ana lives in Lisbon, as you know"))
        ledger.put_fact(fact("f2", "Ben", relation="knows", sources=("e1", "e2"), evidence=2, text="Psst, Ana lives"))
        ledger.save_items([item("i1", "f1"), item("i2", "f2", context=("Psst, Ana lives",), answer="Ben")])
        ledger.save_adapter(adapter("v1", ("f1", "f2")))
        erased = ledger.erase(ANA, "e1", NOW)
        assert (erased.facts, erased.reworded, erased.tainted_adapters) == ((), ("f2",), ("v1",))
        assert [a.tainted for a in ledger.adapters(ANA)] == [("f2",)]
        assert fact_of(ledger, "f1").text == "Ana lives in Lisbon, as you know"
        assert fact_of(ledger, "f2").text == "Ana knows Ben."
        assert events(ledger, "f2") == [("added", None, None), ("updated", "Ana knows Ben.", None)]
        assert [i.id for i in ledger.items(ANA)] == ["i1"]

    def test_words_that_a_fact_had_from_an_erased_episode_leave_its_history(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "Psst, Ana lives in Lisbon."), episode("e2", "Ana lives in Lisbon, as you know")])
        ledger.put_fact(fact("f1", sources=("e1", "e2"), evidence=2, text="Psst, Ana lives in Lisbon."))
        ledger.update_text(ANA, "f1", "Ana has a flat in Lisbon.", NOW)
        ledger.erase(ANA, "e1", NOW)
        assert fact_of(ledger, "f1").text == "Ana has a flat in Lisbon."
        assert events(ledger, "f1") == [("added", None, None), ("updated", "Ana has a flat in Lisbon.", None)]

    def test_an_episode_that_was_reworded_takes_its_first_words_along(self, ledger: Ledger) -> None:
        """Its facts no longer count it among their sources, and yet quote it."""
        ledger.append([episode("e1", "Psst, Ana lives in Lisbon."), episode("e2", "Ana lives in Lisbon, as you know")])
        ledger.put_fact(fact("f1", sources=("e1", "e2"), evidence=2, text="Psst, Ana lives in Lisbon."))
        ledger.save_items([item("i1", "f1", context=("Psst, Ana lives in Lisbon.",))])
        ledger.update_text(ANA, "e1", "Never mind.", NOW)
        ledger.erase(ANA, "e1", NOW)
        assert fact_of(ledger, "f1").text == "Ana lives in Lisbon."
        assert events(ledger, "f1") == [("added", None, None), ("updated", "Ana lives in Lisbon.", None)]
        assert ledger.items(ANA) == []

    def test_an_erased_successor_gives_its_place_back(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "Oslo", 3, ("e2",)))
        ledger.put_fact(fact("f3", "Rome", 6))
        ledger.erase(ANA, "f3", NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f2"]
        ledger.erase(ANA, "e2", NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f1"]
        assert (fact_of(ledger, "f1").valid_to, fact_of(ledger, "f1").superseded_by) == (None, None)
        assert episode_of(ledger, "e1").superseded_by is None
        assert [(name, by) for name, _, by in events(ledger, "f1")] == [
            ("added", None),
            ("superseded", "f2"),
            ("restored", "e2"),
        ]
        assert ledger.check() == []

    def test_the_next_value_takes_over_from_one_that_is_erased(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "Oslo", 3))
        ledger.put_fact(fact("f3", "Rome", 6))
        ledger.erase(ANA, "f2", NOW)
        assert (fact_of(ledger, "f1").valid_to, fact_of(ledger, "f1").superseded_by) == (day(6), "f3")
        assert episode_of(ledger, "e1").superseded_by == "f3"

    def test_what_is_set_aside_or_withdrawn_gives_its_place_back(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(fact("f2", "Oslo", 3, ("e2",)))
        ledger.set_quarantine(ANA, "e2", True, NOW)
        assert [f.id for f in ledger.facts(ANA) if not f.quarantined] == ["f1"]
        ledger.set_quarantine(ANA, "e2", False, NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f2"]
        ledger.update_text(ANA, "e2", "Never mind.", NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f1"]
        assert episode_of(ledger, "e1").superseded_by is None

    def test_values_that_stood_side_by_side_come_back_together(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"), replace=False)
        ledger.put_fact(fact("f2", "Oslo", 3), replace=False)
        ledger.put_fact(fact("f3", "Rome", 6))
        ledger.erase(ANA, "f3", NOW)
        assert [f.id for f in ledger.facts(ANA)] == ["f1", "f2"]

    def test_what_expired_stays_expired(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.expire(ANA, "f1", day(8))
        ledger.put_fact(fact("f2", "Oslo", 5))
        assert fact_of(ledger, "f1").valid_to == day(5)
        ledger.erase(ANA, "f2", NOW)
        assert (fact_of(ledger, "f1").valid_to, fact_of(ledger, "f1").current) == (day(8), False)

    def test_an_erased_id_can_be_imported_again(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.erase(ANA, "e1", NOW)
        ledger.append([episode("e1", "back")])
        assert [text for _, text, _ in events(ledger, "e1")] == [None, None, "back"]
        assert [(e.memory, e.operation) for e in ledger.pending("new")] == [("e1", "upsert")]
