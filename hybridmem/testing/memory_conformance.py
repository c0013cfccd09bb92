"""What a memory must do, whatever its ledger, indexes and reader. Subclass the suite and give it an `open_memory`:

class TestMyVectors(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path):
        return lambda: HybridMemory.open(tmp_path, namespace=ANA, model="fake", embedder="hashing", vectors=MyVectors())

Each call opens the same memory, as a new process would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from hybridmem.core.errors import UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Hit
from hybridmem.memory import HybridMemory

ANA: Namespace = ("users", "ana")
BEN: Namespace = ("users", "ben")

OpenMemory = Callable[[], HybridMemory]


def texts(found: Sequence[Hit] | Sequence[Episode | Fact]) -> list[str]:
    return [each.text for each in found]


def ranking(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.id, round(hit.score, 4)) for hit in hits]


class MemoryConformance:
    @pytest.fixture
    def open_memory(self) -> OpenMemory:
        raise NotImplementedError("override the fixture `open_memory`")

    @pytest.fixture
    def memory(self, open_memory: OpenMemory) -> Iterator[HybridMemory]:
        with open_memory() as memory:
            yield memory

    def test_what_is_added_is_found(self, memory: HybridMemory) -> None:
        for thing in ("a boat", "a bike", "a piano"):
            memory.add(f"Ana bought {thing}.")
        hits = memory.search("Who bought a piano?", limit=2)
        assert hits[0].text == "Ana bought a piano."
        assert len(hits) == 2
        assert set(hits[0].why) >= {"dense", "lexical"}
        assert "graph" in memory.search("What did Ana buy?", limit=1)[0].why

    def test_a_newer_value_takes_the_place_of_the_old_one(self, memory: HybridMemory) -> None:
        memory.add_fact("Ana", "lives in", "Oslo", valid_from="2025-01-01")
        assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Oslo."]
        memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
        assert texts(memory.search("Where does Ana live?")) == ["Ana lives in Lisbon."]
        assert texts(memory.search("Where does Ana live?", as_of="2025-12-31")) == ["Ana lives in Oslo."]
        assert texts(memory.search("Where does Ana live?", as_of="2024-12-31")) == []

    def test_an_answer_comes_from_what_is_found(self, memory: HybridMemory) -> None:
        memory.add_fact("Ana", "lives in", "Lisbon")
        known, unknown = memory.answer_many(["Where does Ana live?", "Which port does Mira use?"])
        assert (known.text, known.route) == ("Lisbon", "retrieval")
        assert unknown.route == "abstain"

    def test_a_night_takes_a_fact_into_the_weights_and_a_deletion_out_of_them(self, memory: HybridMemory) -> None:
        memory.add_fact("Ana", "lives in", "Lisbon")
        fact = memory.add_fact("Ben", "plays", "cello")
        report = memory.dream()
        assert (report.status, report.new_facts) == ("promoted", 2)
        answer = memory.answer("Ana lives in what?", route="weights")
        assert (answer.text, answer.adapter) == ("Lisbon", report.adapter)
        assert [each["version"] for each in memory.why(fact.id)["adapters"]] == [report.adapter]
        memory.delete(fact.id)
        assert memory.answer("Ben plays what?", route="weights").route == "abstain"
        assert memory.dream().unlearned == (fact.id,)
        (probed,) = memory.probe([("Ben plays what?", "cello")])
        assert not probed.recalled
        assert memory.answer("Ana lives in what?", route="weights").text == "Lisbon"

    def test_a_reworded_memory_is_found_by_its_new_words(self, memory: HybridMemory) -> None:
        (episode,) = memory.add("Ana plays the cello.")
        memory.search("cello")
        memory.update(episode.id, "Ana plays the drums.")
        assert texts(memory.search("Who plays the drums? cello")) == ["Ana plays the drums."]

    def test_a_deleted_memory_is_found_nowhere(self, memory: HybridMemory) -> None:
        (gone,) = memory.add("Ana collects stamps.")
        memory.add("Ana keeps bees.")
        assert texts(memory.search("collects stamps", limit=1)) == ["Ana collects stamps."]
        receipt = memory.delete(gone.id)
        assert receipt.id == gone.id
        assert {receipt.removed[place] for place in ("vectors", "full_text", "graph")} == {1}
        assert receipt.removed["ledger"] >= 1
        assert texts(memory.search("collects stamps")) == ["Ana keeps bees."]
        for index in memory.indexes.by_name.values():
            assert gone.id not in list(index.ids(ANA))
        with pytest.raises(UnknownMemory):
            memory.get(gone.id)

    def test_a_quarantined_memory_is_found_after_its_release_alone(self, memory: HybridMemory) -> None:
        (doubtful,) = memory.add("Ana owes me a million.")
        assert memory.search("Who owes a million?")
        memory.quarantine(doubtful.id)
        assert memory.search("Who owes a million?") == []
        memory.release(doubtful.id)
        assert texts(memory.search("Who owes a million?")) == ["Ana owes me a million."]

    def test_namespaces_stay_apart(self, memory: HybridMemory) -> None:
        other = memory.at(BEN)
        (own,) = memory.add("The secret word is plinth.")
        (foreign,) = other.add("The secret word is kumquat.")
        assert [hit.id for hit in memory.search("What is the secret word?")] == [own.id]
        assert [hit.id for hit in other.search("What is the secret word?")] == [foreign.id]
        for look in (memory.get, memory.delete, memory.quarantine):
            with pytest.raises(UnknownMemory):
                look(foreign.id)
        assert texts(other.list()) == ["The secret word is kumquat."]

    def test_everything_is_there_after_reopening(self, open_memory: OpenMemory) -> None:
        with open_memory() as memory:
            (gone, *_) = memory.add([{"role": "user", "content": f"Ana bought {thing}."} for thing in ("tea", "rice")])
            memory.add_fact("Ana", "lives in", "Oslo", valid_from="2025-01-01")
            memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
            memory.search("What did Ana buy?")
            memory.delete(gone.id)
            listed, found = memory.list(), memory.search("Where does Ana live, and what did she buy?")
        with open_memory() as memory:
            assert memory.list() == listed
            assert ranking(memory.search("Where does Ana live, and what did she buy?")) == ranking(found)
            assert texts(memory.search("Where does Ana live?", as_of="2025-12-31", limit=1)) == ["Ana lives in Oslo."]
            memory.add("Ana bought a zither.")
            assert texts(memory.search("Who bought a zither?", limit=1)) == ["Ana bought a zither."]
            assert memory.doctor() == []

    def test_what_was_never_searched_before_is_found_after_reopening(self, open_memory: OpenMemory) -> None:
        with open_memory() as memory:
            memory.add("Ana bought a zither.")
        with open_memory() as memory:
            assert texts(memory.search("zither")) == ["Ana bought a zither."]

    def test_the_doctor_finds_nothing(self, memory: HybridMemory) -> None:
        episodes = memory.add([{"role": "user", "content": f"Ana saw number {number}."} for number in range(5)])
        memory.at(BEN).add("Ben saw nothing.")
        memory.add_fact("Ana", "saw", "Ben")
        assert memory.doctor() == []
        memory.search("number")
        memory.update(episodes[0].id, "Ana saw it all.")
        memory.delete(episodes[1].id)
        memory.quarantine(episodes[2].id)
        memory.search("number")
        assert memory.doctor() == []
        assert memory.stats()["episodes"] == 4

    def test_rebuilt_indexes_answer_alike(self, memory: HybridMemory) -> None:
        memory.add([{"role": "user", "content": f"Ana bought {thing}."} for thing in ("a boat", "a bike", "a piano")])
        memory.add_fact("Ana", "lives in", "Lisbon")
        queries = ("Who bought a boat?", "Where does Ana live?")
        before = [ranking(memory.search(query)) for query in queries]
        assert memory.reindex() == 4
        assert [ranking(memory.search(query)) for query in queries] == before
        assert memory.doctor() == []
