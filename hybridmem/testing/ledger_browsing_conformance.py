"""What every ledger must do for somebody who looks around: a part of `LedgerConformance`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.ledger_samples import ANA, BEN, day, episode, fact


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

    def test_the_users_names_are_those_of_the_users_own_turns(self, ledger: Ledger) -> None:
        assert ledger.speakers(ANA) == frozenset()
        ledger.append([episode("e1", speaker="Ana"), episode("e2", speaker="Ana"), episode("b1", namespace=BEN)])
        ledger.append([episode("e3", speaker="Cleo", trust="web"), episode("e4", speaker="Bot", role="assistant")])
        assert sorted(map(str, ledger.speakers(ANA))) == ["Ana"]
        assert sorted(map(str, ledger.speakers(BEN))) == ["None"]

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
