"""What every ledger must do with memories: a part of `LedgerConformance`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hybridmem.core.errors import EmptyText, InvalidEncoding, InvalidInput, InvalidNamespace, UnknownMemory
from hybridmem.stores.ledger.base import Ledger
from hybridmem.testing.ledger_browsing_conformance import BrowsingConformance
from hybridmem.testing.ledger_erasure_conformance import ErasureConformance
from hybridmem.testing.ledger_facts_conformance import FactConformance
from hybridmem.testing.ledger_samples import ANA, NOW, adapter, day, episode, episode_of, events, fact, fact_of, item


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

    def test_half_of_an_emoji_costs_no_other_character(self, ledger: Ledger) -> None:
        (stored,) = ledger.append([episode("e1", "Porto \ud83d", session="s\ud800", speaker="\udc00")])
        assert (stored.text, stored.session, stored.speaker) == ("Porto \ufffd", "s\ufffd", "\ufffd")
        assert ledger.get(ANA, "e1") == stored
        assert ledger.episodes(ANA, session="s\ud800") == [stored]
        assert ledger.get_many(ANA, ["e\ud800"]) == {}
        with pytest.raises(UnknownMemory):
            ledger.get(ANA, "e\ud800")
        with pytest.raises(UnknownMemory):
            ledger.history(ANA, "e\ud800")

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            ({"text": " \n"}, EmptyText),
            ({"text": "a\x00b"}, InvalidEncoding),
            ({"session": "a\x00"}, InvalidEncoding),
            ({"namespace": ("users", "")}, InvalidNamespace),
            ({"trust": "owner"}, InvalidInput),
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


class MemoriesConformance(EpisodeConformance, FactConformance, ErasureConformance, BrowsingConformance):
    """Everything that `Memories` promises."""
