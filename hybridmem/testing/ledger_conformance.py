"""What every ledger must do, as a pytest class: give a subclass a fixture `ledger` that yields an empty one.

class TestMyLedger(LedgerConformance):
    @pytest.fixture
    def ledger(self, tmp_path):
        return MyLedger(tmp_path)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import UnknownMemory
from hybridmem.stores.ledger.base import Ledger, LedgerCounts
from hybridmem.testing.ledger_archive_conformance import ArchiveConformance
from hybridmem.testing.ledger_filters_conformance import FiltersConformance
from hybridmem.testing.ledger_keyed_episodes_conformance import KeyedEpisodesConformance
from hybridmem.testing.ledger_lineage_conformance import LineageConformance
from hybridmem.testing.ledger_memories_conformance import MemoriesConformance
from hybridmem.testing.ledger_outbox_conformance import OutboxConformance
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, adapter, episode, fact, fact_of, item
from hybridmem.testing.ledger_standing_conformance import StandingConformance
from hybridmem.testing.ledger_state_conformance import StateConformance
from hybridmem.testing.ledger_twins import ONE_LEDGER, assert_twins_agree, operations


class LedgerConformance(
    MemoriesConformance,
    KeyedEpisodesConformance,
    StandingConformance,
    OutboxConformance,
    LineageConformance,
    StateConformance,
    ArchiveConformance,
    FiltersConformance,
):
    """Everything that a `Ledger` promises: each part's suite, and agreement with the plainest twin."""

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

    def test_counts_and_a_sound_database(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "Oslo", 3))
        ledger.save_items([item("i1", "f2")])
        ledger.save_adapter(adapter("v1"))
        assert ledger.counts(ANA) == LedgerCounts(
            episodes=1, facts=1, retired_facts=1, training_items=1, adapters=1, dreams=0, outbox=3
        )
        assert set(asdict(ledger.counts(BEN)).values()) == {0}
        assert ledger.check() == []

    @ONE_LEDGER
    @given(steps=st.lists(operations(), min_size=5, max_size=30))
    def test_it_agrees_with_the_plainest_twin(self, ledger: Ledger, steps: list[Any]) -> None:
        assert_twins_agree(ledger, steps)
