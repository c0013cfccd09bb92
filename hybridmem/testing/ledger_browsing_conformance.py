"""What every ledger must do for somebody who looks around: a part of `LedgerConformance`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hybridmem.stores.ledger.base import AdapterSummary, Holding, Ledger
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, adapter, audit, day, episode, fact


class BrowsingConformance:
    def test_the_latest_said_comes_first_whenever_it_was_stored(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", at=day(2)), episode("e2", at=day(5)), episode("e3", at=day(2))])
        ledger.append([episode("e4", at=day(1)), episode("b1", at=day(9), namespace=BEN)])
        assert [e.id for e in ledger.latest(ANA)] == ["e2", "e3", "e1", "e4"]
        assert ledger.latest(ANA)[0] == ledger.get(ANA, "e2")
        assert ledger.latest(("nobody",)) == []

    def test_pages_of_the_latest_meet_without_a_gap_even_within_one_moment(self, ledger: Ledger) -> None:
        ledger.append([episode(f"e{n}", at=day(n // 3)) for n in range(10)])
        paged, before = [], None
        while page := ledger.latest(ANA, before=before, limit=2):
            paged += page
            before = (page[-1].at, page[-1].position)
        assert [e.id for e in paged] == [f"e{n}" for n in reversed(range(10))]
        assert [e.id for e in ledger.latest(ANA, before=(day(1), 0))] == ["e2", "e1", "e0"]

    def test_days_are_counted_in_utc(self, ledger: Ledger) -> None:
        late = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        ledger.append([episode("e1", at=late), episode("e2", at=late + timedelta(microseconds=1))])
        ledger.append([episode("e3", at=day(0)), episode("e4", at=day(0.99)), episode("e5", at=day(1))])
        ledger.append([episode("b1", at=day(0), namespace=BEN)])
        old, new = date(1969, 12, 31), date(2026, 1, 1)
        assert ledger.days(ANA, old, date(1970, 1, 2)) == {old: 1, date(1970, 1, 1): 1}
        assert ledger.days(ANA, new, date(2026, 2, 1)) == {new: 2, date(2026, 1, 2): 1}
        assert ledger.days(ANA, new, new) == {}
        assert ledger.span(ANA) == (late, day(1))
        assert ledger.span(("nobody",)) is None

    def test_facts_are_paged_and_found_by_their_episode(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", "Oslo", sources=("e1",)))
        ledger.put_fact(fact("f2", "Riga", 3, sources=("e1", "e2")))
        ledger.put_fact(fact("f3", "tea", relation="drinks"))
        assert [f.id for f in ledger.facts(ANA, source="e1")] == ["f2"]
        assert [f.id for f in ledger.facts(ANA, source="e1", include_retired=True)] == ["f1", "f2"]
        assert [f.id for f in ledger.facts(ANA, source="e2", include_retired=True)] == ["f2"]
        assert ledger.facts(BEN, source="e1") == ledger.facts(ANA, source="unknown") == []
        (first,) = ledger.facts(ANA, limit=1)
        assert first.id == "f2"
        assert [f.id for f in ledger.facts(ANA, after=first.position)] == ["f3"]

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
