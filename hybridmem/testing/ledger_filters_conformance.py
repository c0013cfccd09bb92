"""Filters, edits and expiry in a ledger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from hybridmem.core.edit import Edit
from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.parse import parse
from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.filter_samples import Stored, assert_filters_agree, filters, memories
from hybridmem.testing.ledger_samples import ANA, NOW, day, episode, episode_of, events, fact, fact_of
from hybridmem.testing.ledger_twins import ONE_LEDGER


class FiltersConformance:
    """Subclass it with a fixture `ledger`: a new one each time."""

    @ONE_LEDGER
    @given(stored=memories(), written=filters())
    def test_filters_mean_what_the_twin_says(
        self, ledger: Ledger, stored: list[Stored], written: dict[str, Any]
    ) -> None:
        assert_filters_agree(ledger, stored, written)

    def test_a_fact_matches_through_any_of_its_sources(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", session="s1", metadata={"tags": ["x"]}), episode("e2", session="s2")])
        ledger.put_fact(fact("f1", sources=("e1", "e2")))
        for written in ({"session": "s1"}, {"session": "s2"}, {"tags": "x"}, {"not": {"session": "s1"}}):
            assert "f1" in [memory.id for memory in ledger.matching(ANA, parse(written))]
        assert ledger.matching(ANA, parse({"kind": "fact", "session": "s2", "tags": "x"})) == []

    def test_a_text_is_the_same_however_it_is_composed(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", session="Jos\u00e9"), episode("e2", session="Jose\u0301"), episode("e3")])
        for name in ("Jos\u00e9", "Jose\u0301"):
            assert [memory.id for memory in ledger.matching(ANA, parse({"session": name}))] == ["e1", "e2"]
            assert [memory.id for memory in ledger.matching(ANA, parse({"session": {"ne": name}}))] == ["e3"]

    def test_pages_go_through_everything_once(self, ledger: Ledger) -> None:
        ledger.append([episode(f"e{number:04}", metadata={"n": number % 2}) for number in range(1100)])
        wanted = parse({"metadata.n": 1})
        every = [memory.id for memory in ledger.matching(ANA, wanted)]
        assert len(every) == 550
        first = ledger.matching(ANA, wanted, limit=300)
        rest = ledger.matching(ANA, wanted, after=first[-1].position)
        assert [memory.id for memory in (*first, *rest)] == every

    def test_an_edit_merges_and_leaves_a_line_in_the_history(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "one", metadata={"a": 1, "b": {"c": 1, "d": 2}})])
        ledger.mark_extracted(ANA, ["e1"])
        edit = Edit({"a": None, "b": {"c": 3}, "new": [1]}, tags=("x",), expires_at=day(90))
        assert ledger.edit(ANA, "e1", edit, NOW) == ledger.get(ANA, "e1")
        assert episode_of(ledger, "e1").metadata == {"b": {"c": 3, "d": 2}, "new": [1], "tags": ["x"]}
        assert episode_of(ledger, "e1").expires_at == day(90)
        assert ledger.unextracted(ANA) == []
        line = ledger.history(ANA, "e1")[-1]
        assert (line.event, line.text, line.at) == ("edited", "one", NOW)
        assert line.changes == {
            "metadata.a": [1, None],
            "metadata.b": [{"c": 1, "d": 2}, {"c": 3, "d": 2}],
            "metadata.new": [None, [1]],
            "metadata.tags": [None, ["x"]],
            "expires_at": [None, day(90).isoformat()],
        }
        ledger.edit(ANA, "e1", Edit({"new": [1]}, tags=("x",)), NOW)
        assert len(ledger.history(ANA, "e1")) == 2
        ledger.update_text(ANA, "e1", "two", NOW)
        assert episode_of(ledger, "e1").metadata["new"] == [1]

    def test_erasing_takes_the_edits_along(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "one", metadata={"a": "secret"})])
        ledger.edit(ANA, "e1", Edit({"a": "other"}), NOW)
        ledger.erase(ANA, "e1", NOW)
        assert [line.changes for line in ledger.history(ANA, "e1")] == [{}, {}, {}]

    def test_a_fact_that_goes_with_its_source_is_erased_once(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        erased = ledger.erase_all(ANA, ["e1", "f1"], NOW)
        assert (erased.facts, erased.removed["ledger"], ledger.matching(ANA, parse({}))) == (("f1",), 2, [])

    def test_facts_expire_by_themselves_and_with_their_last_source(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", expires_at=day(1)), episode("e2", expires_at=day(3)), episode("e3")])
        ledger.put_fact(fact("f1", "one", sources=("e1", "e2"), relation="a"))
        ledger.put_fact(fact("f2", "two", sources=("e1", "e3"), relation="b"))
        ledger.put_fact(fact("f3", "three", relation="c", expires_at=day(2)))
        assert ledger.expire_due(ANA, day(1)) == []
        assert ledger.expire_due(ANA, day(2)) == ["f3"]
        assert ledger.expire_due(ANA, day(4)) == ["f1"]
        assert ledger.expire_due(ANA, day(4)) == []
        assert (fact_of(ledger, "f1").expires_at, fact_of(ledger, "f1").current) == (day(3), False)
        assert fact_of(ledger, "f2").current
        assert [event for event, _, _ in events(ledger, "f1")] == ["added", "expired"]
        with pytest.raises(InvalidInput, match="state it again"):
            ledger.edit(ANA, "f1", Edit(expires_at=None), day(5))

    def test_what_has_expired_is_not_read_by_dreams_until_it_is_brought_back(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", expires_at=day(1)), episode("e2")])
        assert [e.id for e in ledger.unextracted(ANA, at=day(1))] == ["e2"]
        assert [e.id for e in ledger.unextracted(ANA, at=day(0))] == ["e1", "e2"]
        ledger.mark_extracted(ANA, ["e1", "e2"])
        ledger.edit(ANA, "e1", Edit(expires_at=None), day(2))
        assert [e.id for e in ledger.unextracted(ANA, at=day(2))] == ["e1"]

    def test_equal_facts_expire_with_the_later_of_them(self, ledger: Ledger) -> None:
        ledger.put_fact(fact("f1", expires_at=day(1), metadata={"a": 1}))
        ledger.put_fact(fact("f2", expires_at=day(2), metadata={"b": 2}))
        assert (fact_of(ledger, "f1").expires_at, fact_of(ledger, "f1").metadata) == (day(2), {"a": 1, "b": 2})
        ledger.put_fact(fact("f3"))
        assert fact_of(ledger, "f1").expires_at is None
