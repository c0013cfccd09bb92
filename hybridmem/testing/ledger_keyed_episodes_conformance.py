"""What every ledger must do with episodes under ids of their owner's: a part of `LedgerConformance`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.composite import WHOLE, with_parts
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, adapter, day, episode, episode_of, events, fact, item


def parted(id: str, *names: str, text: str | None = None) -> list[Episode]:
    """A whole and its parts."""
    parts = [episode(f"{id}.{name}", f"part {name} of {id}", metadata={WHOLE: id}) for name in names]
    return [episode(id, text, metadata=with_parts({"a": 1}, [part.id for part in parts])), *parts]


def pending_operations(ledger: Ledger, consumer: str = "new") -> dict[str, str]:
    return {entry.memory: entry.operation for entry in ledger.pending(consumer)}


class KeyedEpisodesConformance:
    def test_what_is_put_is_there_once_and_as_it_was_put_last(self, ledger: Ledger) -> None:
        (first,) = ledger.put_episodes([episode("e1", "one", metadata={"n": 1})], NOW)
        assert ledger.get(ANA, "e1") == first
        second, other = ledger.put_episodes([episode("e1", "two"), episode("e2"), episode("e1", "three")], NOW)
        assert (second.text, other.id) == ("three", "e2")
        assert ledger.episodes(ANA) == [second, other]
        assert other.position > second.position > first.position
        assert ledger.put_episodes([], NOW) == []
        assert pending_operations(ledger) == {"e1": "upsert", "e2": "upsert"}
        assert ledger.check() == []

    def test_what_is_put_again_is_told_as_it_is_stored(self, ledger: Ledger) -> None:
        ledger.put_episodes([episode("e1", "Ana lives in Lisbon")], NOW)
        ledger.put_fact(fact("f1", "Lisbon", sources=("e1",)))
        ledger.put_fact(fact("f2", "Oslo", 2, ()), replace=True)
        told = ledger.put_episodes([episode("e1", "Ana lives in Lisbon"), episode("e2")], NOW)
        assert told == [ledger.get(ANA, "e1"), ledger.get(ANA, "e2")]
        assert [each.superseded_by for each in told if isinstance(each, Episode)] == ["f2", None]

    def test_what_was_erased_is_known(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2"), episode("e3")])
        ledger.erase(ANA, "e1", NOW)
        ledger.erase(ANA, "e2", NOW)
        ledger.put_episodes([episode("e2", "back again")], NOW)
        assert ledger.erased(ANA, ["e1", "e2", "e3", "e4"]) == {"e1"}
        assert ledger.erased(BEN, ["e1"]) == ledger.erased(ANA, []) == set()

    def test_what_is_replaced_leaves_nothing_behind(self, ledger: Ledger) -> None:
        ledger.put_episodes([episode("e1", "Ana lives in Lisbon")], NOW)
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.save_items([item("i1", "f1")])
        ledger.save_adapter(adapter("v1", ("f1",)))
        ledger.update_text(ANA, "e1", "Ana lives in Rome", NOW)
        ledger.mark_extracted(ANA, ["e1"])
        ledger.touch(ANA, ["e1"], NOW)
        ledger.put_episodes([episode("e1", "Ana keeps ferrets")], NOW)
        assert events(ledger, "e1") == [("added", "Ana keeps ferrets", None)]
        assert ledger.facts(ANA, include_retired=True) == []
        assert (ledger.items(ANA), ledger.uses(ANA, ["e1"])) == ([], {"e1": 0})
        assert ledger.adapters(ANA)[0].tainted == ("f1",)
        assert [e.id for e in ledger.unextracted(ANA)] == ["e1"]
        assert pending_operations(ledger) == {"e1": "upsert", "f1": "delete"}
        assert ledger.check() == []

    def test_the_same_words_keep_what_was_read_in_them(self, ledger: Ledger) -> None:
        ledger.put_episodes([episode("e1", "Ana lives in Lisbon", metadata={"n": 1})], NOW)
        ledger.put_fact(fact("f1", sources=("e1",)))
        ledger.mark_extracted(ANA, ["e1"])
        ledger.acknowledge("new", ledger.pending("new")[-1].position)
        (again,) = ledger.put_episodes([episode("e1", "Ana lives in Lisbon", metadata={"n": 2}, at=day(3))], NOW)
        assert ledger.get(ANA, "e1") == again
        assert (again.metadata, again.at) == ({"n": 2}, day(3))
        assert [f.id for f in ledger.facts(ANA)] == ["f1"]
        assert (ledger.unextracted(ANA), ledger.pending("new")) == ([], [])
        assert ledger.check() == []

    def test_an_id_of_something_else_is_refused(self, ledger: Ledger) -> None:
        ledger.append([episode("b1", namespace=BEN)])
        ledger.put_fact(fact("f1"))
        for taken in ("b1", "f1"):
            with pytest.raises(InvalidInput):
                ledger.put_episodes([episode("e1"), episode(taken)], NOW)
        assert (ledger.episodes(ANA), [e.id for e in ledger.episodes(BEN)]) == ([], ["b1"])

    def test_one_put_reaches_several_namespaces(self, ledger: Ledger) -> None:
        ledger.put_episodes([episode("e1"), episode("b1", namespace=BEN)], NOW)
        assert ([e.id for e in ledger.episodes(ANA)], [e.id for e in ledger.episodes(BEN)]) == (["e1"], ["b1"])

    def test_an_erased_id_can_be_put_again(self, ledger: Ledger) -> None:
        ledger.put_episodes([episode("e1")], NOW)
        ledger.erase(ANA, "e1", NOW)
        ledger.put_episodes([episode("e1", "back")], NOW)
        assert episode_of(ledger, "e1").text == "back"
        assert pending_operations(ledger) == {"e1": "upsert"}
        assert ledger.check() == []

    def test_an_id_stays_in_its_namespace_for_good(self, ledger: Ledger) -> None:
        ledger.append([episode("e1")])
        ledger.erase(ANA, "e1", NOW)
        for put in (
            lambda: ledger.append([episode("e1", namespace=BEN)]),
            lambda: ledger.put_episodes([episode("e1", namespace=BEN)], NOW),
            lambda: ledger.put_fact(fact("e1", namespace=BEN)),
        ):
            with pytest.raises(InvalidInput):
                put()
        assert ledger.history(ANA, "e1")[-1].event == "deleted"

    def test_parts_are_put_and_erased_with_their_whole(self, ledger: Ledger) -> None:
        ledger.put_episodes(parted("e1", "a", "b", "c"), NOW)
        ledger.put_episodes(parted("e1", "b", "d"), NOW)
        assert [e.id for e in ledger.episodes(ANA)] == ["e1", "e1.b", "e1.d"]
        erased = ledger.erase(ANA, "e1.d", NOW)
        assert sorted(erased.parts) == ["e1", "e1.b"]
        assert erased.removed["ledger"] == 3
        assert ledger.episodes(ANA) == []
        assert set(pending_operations(ledger).values()) == {"delete"}

    def test_nobody_takes_along_what_does_not_say_that_it_belongs(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2", metadata=with_parts({}, ["e1", "e3"]))])
        ledger.append([episode("e3", metadata={WHOLE: "e1"}), episode("e4", metadata={WHOLE: 7})])
        assert ledger.erase(ANA, "e2", NOW).parts == ()
        assert ledger.erase(ANA, "e3", NOW).parts == ()
        assert ledger.erase(ANA, "e4", NOW).parts == ()
        assert [e.id for e in ledger.episodes(ANA)] == ["e1"]

    def test_several_are_erased_at_once(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2"), episode("b1", namespace=BEN)])
        ledger.put_episodes(parted("e3", "a"), NOW)
        ledger.put_fact(fact("f1", sources=("e1", "e2"), evidence=2))
        ledger.save_adapter(adapter("v1", ("f1",)))
        erased = ledger.erase_all(ANA, ["e1", "e2", "e3.a", "e3", "b1", "unknown", "e1"], NOW)
        assert (erased.facts, erased.tainted_adapters, erased.parts) == (("f1",), ("v1",), ("e3",))
        assert erased.removed["ledger"] == 5
        assert (ledger.episodes(ANA), [e.id for e in ledger.episodes(BEN)]) == ([], ["b1"])
        assert ledger.erase_all(ANA, ["unknown"], NOW).removed == {}
        assert ledger.check() == []

    def test_what_was_put_after_a_position_can_be_left(self, ledger: Ledger) -> None:
        seen = ledger.put_episodes([episode("e1"), episode("e2")], NOW)[-1].position
        ledger.put_episodes([episode("e1", "anew")], NOW)
        ledger.erase_all(ANA, ["e1", "e2"], NOW, up_to=seen)
        assert [e.text for e in ledger.episodes(ANA)] == ["anew"]

    def test_a_note_on_what_has_changed_since_is_left_out(self, ledger: Ledger) -> None:
        stale, still = ledger.put_episodes([episode("e1"), episode("e2")], NOW)
        (fresh,) = ledger.put_episodes([episode("e1", metadata={"n": 2})], NOW)
        before = ledger.pending("new")
        ledger.annotate([replace(stale, metadata={"n": 1}), replace(still, metadata={"n": 3})])
        ledger.annotate([replace(still, namespace=BEN, metadata={"n": 4}), replace(still, id="e9")])
        assert ledger.get(ANA, "e1") == fresh
        assert ledger.get(ANA, "e2") == replace(still, metadata={"n": 3})
        assert ledger.pending("new") == before

    def test_what_lies_below_a_namespace_begins_with_its_parts(self, ledger: Ledger) -> None:
        inside = [("users",), ("users", "a-b"), ("users", "Ana"), ("users", "ana"), ("users", "ana", "é 1")]
        outside = [("user",), ("users-",), ("users0",), ("Users", "ana"), ("other", "users")]
        ledger.append([episode(f"e{n}", namespace=home) for n, home in enumerate([*inside, *outside] * 2)])
        ledger.put_fact(fact("f1", namespace=("users", "facts")))
        assert ledger.child_namespaces(("users",)) == sorted(inside)
        assert ledger.child_namespaces(ANA) == [("users", "ana"), ("users", "ana", "é 1")]
        assert ledger.child_namespaces(("nobody",)) == []
        ledger.erase_all(ANA, [e.id for e in ledger.episodes(ANA)], NOW)
        assert ledger.child_namespaces(ANA) == [("users", "ana", "é 1")]

    def test_the_newest_come_first_over_several_namespaces(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("b1", namespace=BEN), episode("e2"), episode("c1", namespace=("c",))])
        ledger.put_episodes([episode("e1")], NOW)
        found = ledger.newest([ANA, BEN, ANA])
        assert [e.id for e in found] == ["e1", "e2", "b1"]
        assert ledger.newest([ANA, BEN], before=found[0].position, limit=1) == found[1:2]
        assert ledger.newest([]) == []
