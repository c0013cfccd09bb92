"""What every ledger must do with what dreams leave: a part of `LedgerConformance`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hybridmem.core.errors import ErasedMeanwhile, UnknownAdapter, UnknownMemory
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.lineage import ActiveWeights, AdapterSummary, Holding
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, adapter, audit, day, fact, item, report


class LineageConformance:
    """Everything that `Lineage` promises."""

    def test_training_items_are_replaced_by_id_and_chosen_by_fact(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.put_fact(fact("f2", "ferrets", relation="keeps"))
        ledger.save_items([item("i1", "f1"), item("i2", "f2"), item("i3", "f1", split="dev")])
        ledger.save_items([item("i1", "f1", answer="in Lisbon")])
        assert [i.id for i in ledger.items(ANA)] == ["i2", "i3", "i1"]
        assert [i.id for i in ledger.items(ANA, ["f1"])] == ["i3", "i1"]
        assert ledger.items(ANA, ["f1"])[-1] == item("i1", "f1", answer="in Lisbon")
        assert ledger.items(BEN) == ledger.items(ANA, []) == []
        ledger.drop_items(BEN, ["f2"])
        ledger.drop_items(ANA, ["f1"])
        assert [i.id for i in ledger.items(ANA)] == ["i2"]
        with pytest.raises(UnknownMemory):
            ledger.save_items([item("i4", "f2"), item("i5", "unknown")])
        assert [i.id for i in ledger.items(ANA)] == ["i2"]

    def test_adapters_are_replaced_by_version_and_keep_their_place(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1"))
        ledger.save_adapter(adapter("v1", ("f1", "f1")))
        ledger.save_adapter(adapter("v2", parent="v1"))
        ledger.save_adapter(adapter("v1", ("f1",), status="rejected", scores={"recall": 0.1}))
        assert ledger.adapters(ANA) == [
            adapter("v1", ("f1",), status="rejected", scores={"recall": 0.1}),
            adapter("v2", parent="v1"),
        ]
        assert ledger.adapters(BEN) == []

    def test_an_adapter_is_tainted_by_what_happened_while_it_trained_and_stays_so(self, ledger: Ledger) -> None:
        for number, relation in enumerate(("lives in", "keeps", "owns", "reads")):
            ledger.put_fact(fact(f"f{number}", relation=relation))
        ledger.erase(ANA, "f0", NOW)
        ledger.expire(ANA, "f1", NOW)
        ledger.set_quarantine(ANA, "f2", True, NOW)
        facts = ("f0", "f1", "f2", "f3")
        ledger.save_adapter(adapter("v1", facts))
        assert ledger.adapters(ANA)[0].tainted == ("f0", "f1", "f2")
        ledger.update_text(ANA, "f3", "other words", NOW)
        ledger.save_adapter(adapter("v1", facts, tainted=("elsewhere",)))
        assert ledger.adapters(ANA)[0].tainted == facts

    def test_promotion_and_rollback_move_the_alias(self, ledger: Ledger) -> None:
        ledger.save_adapter(adapter("v1", status="active"))
        ledger.save_adapter(adapter("v2"))
        assert (ledger.active(ANA), ledger.activations(ANA)) == (None, [])
        assert [a.status for a in ledger.adapters(ANA)] == ["candidate", "candidate"]
        ledger.activate(ANA, "v1", day(1))
        ledger.activate(ANA, "v2", day(2))
        ledger.activate(ANA, "v2", day(3))
        assert [a.status for a in ledger.adapters(ANA)] == ["retired", "active"]
        ledger.save_adapter(adapter("v2", status="candidate"))
        assert ledger.active(ANA) == adapter("v2", status="active")
        ledger.activate(ANA, "v1", day(4))
        ledger.activate(ANA, None, day(5))
        assert ledger.active(ANA) is None
        assert [a.status for a in ledger.adapters(ANA)] == ["retired", "retired"]
        assert ledger.activations(ANA) == [(day(1), "v1"), (day(2), "v2"), (day(4), "v1"), (day(5), None)]
        for namespace, version in ((ANA, "v9"), (BEN, "v1")):
            with pytest.raises(UnknownAdapter):
                ledger.activate(namespace, version, NOW)

    def test_what_learned_something_erased_is_not_promoted(self, ledger: Ledger) -> None:
        for number, relation in enumerate(("lives in", "keeps")):
            ledger.put_fact(fact(f"f{number}", relation=relation))
        ledger.save_items([item("i0", "f0"), item("i1", "f1", context=("nothing",), answer="yes", question="So?")])
        ledger.save_adapter(adapter("v1", ("f0", "f1")))
        ledger.activate(ANA, "v1", day(1), learned=["f1", "f0", "i0", "i1"])
        ledger.save_adapter(adapter("v2", ("f0", "f1")))
        ledger.erase(ANA, "f0", NOW)
        for gone in ("f0", "i0"):
            with pytest.raises(ErasedMeanwhile):
                ledger.activate(ANA, "v2", day(2), learned=["f1", "i1", gone])
        with pytest.raises(ErasedMeanwhile):
            ledger.activate(BEN, None, day(2), learned=["f1"])
        assert ledger.activations(ANA) == [(day(1), "v1")]
        ledger.activate(ANA, "v2", day(2), learned=["f1", "i1"])
        assert ledger.activations(ANA)[-1] == (day(2), "v2")

    def test_audits_are_replaced(self, ledger: Ledger) -> None:
        ledger.save_audits(ANA, [audit("v1", "f2"), audit("v1", "f1"), audit("v2", "f1")])
        ledger.save_audits(ANA, [audit("v1", "f1", right=4)])
        assert ledger.audits(ANA, "v1") == [audit("v1", "f1", right=4), audit("v1", "f2")]
        assert ledger.audits(BEN, "v1") == []

    def test_dream_reports_come_back_equal_oldest_first(self, ledger: Ledger) -> None:
        ledger.save_dream(report("d2"))
        ledger.save_dream(report("d1"))
        ledger.save_dream(report("d2", status="rejected", reason="recall 0.4 is below 0.8"))
        assert ledger.dreams(ANA) == [report("d2", status="rejected", reason="recall 0.4 is below 0.8"), report("d1")]
        assert ledger.dreams(BEN) == []
        assert ledger.namespaces() == [ANA]

    def test_summaries_count_what_adapters_hold(self, ledger: Ledger) -> None:
        for number, relation in enumerate(("lives in", "keeps", "owns")):
            ledger.put_fact(fact(f"f{number}", relation=relation))
        ledger.save_adapter(adapter("v2", ("f0",)))
        ledger.save_adapter(adapter("v1", ("f0", "f1", "f2"), parent="v2", files={}))
        ledger.expire(ANA, "f1", NOW)
        ledger.activate(ANA, "v2", day(1))
        values: dict[str, Any] = {"base": "bundled", "created_at": NOW, "dream": "d1", "scores": {"recall": 0.95}}
        first, second = ledger.adapter_summaries(ANA)
        assert first == AdapterSummary("v2", parent=None, status="active", facts=1, tainted=0, on_disk=True, **values)
        assert second == AdapterSummary(
            "v1", parent="v2", status="candidate", facts=3, tainted=1, on_disk=False, **values
        )
        assert ledger.adapter_summaries(BEN) == []
        assert ledger.adapter(ANA, "v1") == ledger.adapters(ANA)[1]
        assert ledger.adapter(ANA, "v9") is ledger.adapter(BEN, "v1") is None

    def test_holdings_say_which_adapters_hold_a_fact_and_how_well(self, ledger: Ledger) -> None:
        for number, relation in enumerate(("lives in", "keeps", "owns")):
            ledger.put_fact(fact(f"f{number}", relation=relation))
        ledger.save_adapter(adapter("v2", ("f1", "f0")))
        ledger.save_adapter(adapter("v1", ("f0", "f2"), files={}))
        ledger.activate(ANA, "v1", day(1))
        ledger.save_audits(ANA, [audit("v2", "f0"), audit("v2", "f2"), audit("v1", "f2", right=1)])
        ledger.expire(ANA, "f0", NOW)
        assert ledger.holdings(ANA, ["f0", "f1", "unknown", "f0"]) == [
            Holding("v2", "candidate", True, "f1", False),
            Holding("v2", "candidate", True, "f0", True, 4, 3),
            Holding("v1", "active", False, "f0", True),
        ]
        assert ledger.holdings(ANA, ["f2"]) == [Holding("v1", "active", False, "f2", False, 4, 1)]
        assert ledger.holdings(BEN, ["f0"]) == ledger.holdings(ANA, []) == []

    def test_a_fact_lapses_in_an_adapter_on_the_day_of_its_end_or_of_its_successor(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f0", "Lisbon"))
        ledger.put_fact(fact("f1", "ferrets", relation="keeps", valid_to=day(80)))
        ledger.put_fact(fact("f2", "owls", relation="likes"))
        ledger.save_adapter(adapter("v1", ("f0", "f1", "f2", "unknown")))
        ledger.put_fact(fact("f3", "Riga", valid_from=day(70)))
        ledger.activate(ANA, "v1", day(1))

        def tainted(*days: int) -> tuple[str, ...]:
            adapter = ledger.active_weights(ANA, [day(number) for number in days]).adapter
            return adapter.tainted if adapter else ()

        assert [tainted(number) for number in (69, 70, 80)] == [
            ("unknown",),
            ("f0", "unknown"),
            ("f0", "f1", "unknown"),
        ]
        assert tainted(69, 70) == ("f0", "unknown") and tainted() == ("unknown",)
        assert ledger.adapters(ANA)[0].tainted == ("unknown",)

    def test_active_weights_are_those_of_now_with_their_audits_and_the_last_dream(self, ledger: Ledger) -> None:
        assert ledger.active_weights(ANA, [NOW]) == ActiveWeights()
        for number, relation in enumerate(("lives in", "keeps")):
            ledger.put_fact(fact(f"f{number}", relation=relation))
        ledger.save_adapter(adapter("v1", ("f0", "f1")))
        ledger.save_audits(ANA, [audit("v1", "f0"), audit("v2", "f1")])
        ledger.save_dream(report("d1"))
        assert ledger.active_weights(ANA, [NOW]) == ActiveWeights(last_dream=report("d1").started_at)
        ledger.activate(ANA, "v1", day(1))
        found = ledger.active_weights(ANA, [NOW])
        assert (found.adapter, list(found.audits)) == (ledger.active(ANA), ["f0"])
        # Whatever is written is in the next answer.
        ledger.save_audits(ANA, [audit("v1", "f1"), replace(audit("v1", "f0"), split="test")])
        ledger.expire(ANA, "f1", NOW)
        later = replace(report("d2"), started_at=day(9))
        ledger.save_dream(later)
        found = ledger.active_weights(ANA, [NOW])
        assert found.adapter and found.adapter.tainted == ("f1",) and found.last_dream == day(9)
        assert {id: each.asked for id, each in found.audits.items()} == {"f0": 2 * audit("v1", "f0").asked, "f1": 4}
        ledger.activate(ANA, None, day(2))
        assert ledger.active_weights(ANA, [NOW]) == ActiveWeights(last_dream=day(9))
        assert ledger.active_weights(BEN, [NOW]) == ActiveWeights()
