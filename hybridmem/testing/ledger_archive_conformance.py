"""What every ledger must give away and take in whole: a part of `LedgerConformance`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.records import Episode, Event, Fact
from hybridmem.stores.ledger.archive import Archive
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, day, episode, events, fact, fact_of


def _lived() -> Archive:
    """The archive of a ledger where everything has happened to some memory."""
    ledger = InMemoryLedger()
    ledger.append([episode("e1", "Ana lives in Oslo."), episode("e2", metadata={"a": [1]}), episode("e3", session="s")])
    ledger.put_fact(fact("f1", "Oslo", 1, ("e1",)))
    ledger.append([episode("e4"), episode("e5")])
    ledger.put_fact(fact("f2", "Rome", 5, ("e2",)))
    ledger.mark_extracted(ANA, ["e1", "e2"])
    ledger.put_fact(fact("f3", "Lisbon", 9, ("e2", "e4")))
    ledger.erase(ANA, "f2", NOW)
    ledger.update_text(ANA, "e3", "other words", day(70))
    ledger.set_quarantine(ANA, "e5", True, day(71))
    ledger.put_fact(fact("f4", "chess", relation="plays"))
    ledger.expire(ANA, "f4", day(72))
    return ledger.archive(ANA)


class ArchiveConformance:
    def test_what_is_restored_is_what_was_archived(self, ledger: Ledger) -> None:
        archive = _lived()
        ledger.append([episode("b1", namespace=BEN)])
        ledger.restore(ANA, archive)
        again = ledger.archive(ANA)
        assert [replace(m, position=0) for m in again.memories] == [replace(m, position=0) for m in archive.memories]
        assert (again.extracted, again.events) == (archive.extracted, archive.events)
        assert [fact.object for fact in ledger.facts(ANA)] == ["Lisbon"]
        assert [fact.object for fact in ledger.facts(ANA, as_of=day(2))] == ["Oslo", "chess"]
        assert [episode.id for episode in ledger.unextracted(ANA)] == ["e3", "e4"]
        assert events(ledger, "e3") == [("added", "words of e3", None), ("updated", "other words", None)]
        assert events(ledger, "f2")[-1] == ("deleted", None, None)
        assert events(ledger, "e4") == [("added", "words of e4", None)]
        assert ledger.check() == []
        assert ledger.archive(BEN).memories == tuple(ledger.episodes(BEN))

    def test_the_indexes_are_told_of_what_is_restored(self, ledger: Ledger) -> None:
        ledger.restore(ANA, _lived())
        waiting = {entry.memory: entry.operation for entry in ledger.pending("new")}
        assert waiting == {f"e{n}": "upsert" for n in range(1, 6)} | {
            "f1": "upsert",
            "f2": "delete",
            "f3": "upsert",
            "f4": "upsert",
        }

    def test_a_restored_memory_goes_on_living(self, ledger: Ledger) -> None:
        ledger.restore(BEN, _lived())
        ledger.put_fact(fact("f5", "Paris", 20, namespace=BEN))
        assert [fact.object for fact in ledger.facts(BEN)] == ["Paris"]
        assert [event.event for event in ledger.history(BEN, "f3")] == ["added", "superseded"]
        assert [event.event for event in ledger.history(BEN, "f1")] == ["added", "superseded"]

    @pytest.mark.parametrize("known", ["e1", "f1", "f2", "e5"])
    def test_an_id_of_another_namespace_is_replaced(self, ledger: Ledger, known: str) -> None:
        ledger.append([episode(known, namespace=BEN)])
        if known == "e5":
            ledger.erase(BEN, known, NOW)
        archive = _lived()
        restored = ledger.restore(ANA, archive)
        assert (restored.memories, restored.there, restored.erased) == (len(archive.memories), 0, 0)
        again = ledger.archive(ANA)
        assert [memory.text for memory in again.memories] == [memory.text for memory in archive.memories]
        assert known not in {memory.id for memory in again.memories}
        assert len(again.extracted) == len(archive.extracted)
        assert sorted(event.event for event in again.events) == sorted(event.event for event in archive.events)
        assert ledger.check() == []

    def test_what_is_there_already_stays(self, ledger: Ledger) -> None:
        archive = _lived()
        ledger.restore(ANA, archive)
        before = ledger.archive(ANA)
        again = ledger.restore(ANA, archive)
        assert (again.lines, again.there, again.erased) == (0, len(archive.memories), 0)
        assert ledger.archive(ANA) == before

    def test_what_was_erased_stays_erased_with_what_stands_on_it(self, ledger: Ledger) -> None:
        ledger.append([episode("e1", "Ana lives in Lisbon, in Rua Augusta."), episode("e2", "Ana sails.")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.put_fact(
            fact("f2", "boats", relation="sails", sources=("e1", "e2"), text="Ana lives in Lisbon, in Rua Augusta.")
        )
        ledger.put_fact(fact("f3", "Oslo", 5))
        archive = ledger.archive(ANA)
        ledger.erase(ANA, "e1", NOW)
        ledger.erase(ANA, "f2", NOW)
        ledger.erase(ANA, "f3", NOW)
        restored = ledger.restore(ANA, archive)
        assert (restored.memories, restored.there, restored.erased) == (0, 1, 4)
        assert [memory.id for memory in ledger.archive(ANA).memories] == ["e2"]

    def test_a_fact_that_comes_back_does_not_quote_what_was_erased(self, ledger: Ledger) -> None:
        source = InMemoryLedger()
        source.append([episode("e1", "Ana lives in Lisbon, in Rua Augusta."), episode("e2", "Ana sails.")])
        quoting = fact("f2", "boats", relation="sails", sources=("e1", "e2"), text="in Rua Augusta")
        source.put_fact(quoting)
        ledger.append([episode("e1")])
        ledger.erase(ANA, "e1", NOW)
        restored = ledger.restore(ANA, source.archive(ANA))
        assert (restored.memories, restored.erased) == (2, 1)
        assert (fact_of(ledger, "f2").text, fact_of(ledger, "f2").sources) == ("Ana sails boats.", ("e2",))
        assert not any("Augusta" in text for _, text in ledger.texts(ANA))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda memories, events: (memories[1:], events),
            lambda memories, events: (memories[-1:], events),
            lambda memories, events: ((*memories, memories[0]), events),
            lambda memories, events: (memories, (*events, Event("e9", "updated", NOW, "words"))),
            lambda memories, events: (memories, (*events, Event("f1", "deleted", NOW))),
            lambda memories, events: (memories, (*events, Event("e1", "dreamt", NOW))),  # type: ignore[arg-type]
            lambda memories, events: ((replace(memories[0], text=" "), *memories[1:]), events),
        ],
        ids=["source lost", "all but one lost", "twice", "stranger", "both", "odd event", "no text"],
    )
    def test_what_does_not_belong_together_is_refused_whole(self, ledger: Ledger, spoil: Callable[..., Any]) -> None:
        archive = _lived()
        memories, events = spoil(archive.memories, archive.events)
        with pytest.raises(InvalidInput):
            ledger.restore(ANA, Archive(memories, archive.extracted, events))
        assert ledger.namespaces() == []
        with pytest.raises(UnknownMemory):
            ledger.get(ANA, "e1")

    def test_an_archive_sees_one_namespace(self, ledger: Ledger) -> None:
        ledger.restore(ANA, _lived())
        ledger.append([Episode("b1", BEN, "Ben sails.", at=NOW, recorded_at=NOW)])
        assert [memory.id for memory in ledger.archive(BEN).memories] == ["b1"]
        assert not any(isinstance(memory, Fact) for memory in ledger.archive(BEN).memories)
