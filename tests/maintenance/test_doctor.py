"""What the doctor finds, and what is well again after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from hybridmem.core.clock import utc_now
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord
from hybridmem.dreaming.recovery import DreamState
from hybridmem.memory import HybridMemory

ANA: Namespace = ("users", "ana")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, embedder="hashing") as memory:
        memory.add("Ana moved to Lisbon.")
        memory.add_fact("Ana", "lives in", "Lisbon")
        yield memory


@pytest.fixture
def night(memory: HybridMemory, tmp_path: Path) -> Callable[[], str]:
    """Register and promote one more adapter; returns its version."""

    def night() -> str:
        folder = tmp_path / "candidate"
        folder.mkdir()
        (folder / "answers.json").write_text("{}")
        (fact,) = memory.ledger.facts(ANA)
        made = AdapterRecord("", ANA, "fake", "b" * 64, None, "candidate", utc_now(), "d1", facts=(fact.id,))
        version = memory.adapters.register(folder, made).version
        memory.adapters.promote(version)
        return version

    return night


def damage(memory: HybridMemory, version: str) -> None:
    (memory.adapters.path(version) / "answers.json").write_text('{"a": "b"}')


def active(memory: HybridMemory) -> str | None:
    record = memory.adapters.active()
    return record.version if record else None


def test_a_memory_in_use_is_well(memory: HybridMemory, night: Callable[[], str]) -> None:
    assert memory.doctor() == []
    memory.search("Ana")
    night()
    memory.add("Ana sails.")
    assert memory.doctor() == []
    memory.ledger.put_state(ANA, DreamState("dr_1"))
    (memory.folder.dream(ANA) / "half").mkdir(parents=True)
    (memory.folder.locks / "dream-0.lock").touch()
    assert memory.doctor(repair=True) == []


def test_an_index_that_lost_or_kept_something_is_mended(memory: HybridMemory) -> None:
    memory.search("Ana")
    first, second = memory.list()
    memory.indexes.vectors.delete(ANA, [first.id])
    memory.indexes.lexical.upsert(ANA, {"ep_ghost": "boo"})
    memory.indexes.graph.delete(ANA, [second.id])
    found = memory.doctor()
    assert [line.split(" ")[0] for line in found] == ["vectors", "full_text", "graph"]
    assert all("hybridmem reindex" in line for line in found)
    assert memory.doctor(repair=True) == found
    assert memory.doctor() == []
    assert memory.search("boo")[0].id != "ep_ghost"


def test_every_namespace_is_examined(memory: HybridMemory, tmp_path: Path) -> None:
    memory.search("Ana")
    with HybridMemory.open(tmp_path / "memory", namespace="users/ben", embedder="hashing") as other:
        memory.indexes.vectors.clear()
        assert len(other.doctor(repair=True)) == 1
        assert other.doctor() == memory.doctor() == []


def test_vectors_of_another_model_are_the_users_choice(memory: HybridMemory, tmp_path: Path) -> None:
    from hybridmem.embedding.hashing import HashingEmbedder

    memory.search("Ana")
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, embedder=HashingEmbedder(64)) as other:
        (line,) = other.doctor(repair=True)
        assert "256" in line
        assert "64" in line
        assert other.doctor() == [line]
        other.reindex()
        assert other.doctor() == []


def test_an_index_that_cannot_be_opened_is_named(memory: HybridMemory) -> None:
    memory.folder.index.mkdir(exist_ok=True)
    (memory.folder.index / "fulltext.sqlite3").write_bytes(b"no database" * 1000)
    (line,) = memory.doctor(repair=True)
    assert "fulltext.sqlite3" in line
    assert "hybridmem reindex" in line


def test_a_damaged_active_adapter_gives_way_to_the_newest_sound_one(
    memory: HybridMemory, night: Callable[[], str]
) -> None:
    first, second, third = night(), night(), night()
    damage(memory, third)
    damage(memory, second)
    found = memory.doctor()
    assert len(found) == 2
    assert third in found[1]
    assert "doctor --repair" in found[1]
    assert active(memory) == third
    assert memory.doctor(repair=True) == found
    assert active(memory) == first
    assert len(memory.doctor()) == 2, "the damaged files are still there, and still damaged"


def test_without_a_sound_adapter_the_bare_base_answers(memory: HybridMemory, night: Callable[[], str]) -> None:
    damage(memory, night())
    assert len(memory.doctor(repair=True)) == 1
    assert active(memory) is None


def test_weights_that_were_removed_on_purpose_are_no_fault(memory: HybridMemory, night: Callable[[], str]) -> None:
    first, _ = night(), night()
    memory.adapters.remove(first)
    assert memory.doctor() == []


def test_what_a_crash_left_is_removed_unless_a_dream_runs(memory: HybridMemory, night: Callable[[], str]) -> None:
    version = night()
    left = memory.adapters.path(version).with_name("v0009")
    left.mkdir()
    (line,) = memory.doctor()
    assert "v0009" in line
    with FileLock(memory.folder.dream_lock(ANA)):
        assert memory.doctor(repair=True) == []
        assert left.exists()
    assert memory.doctor(repair=True) == [line]
    assert not left.exists()
    assert memory.doctor() == []
    assert active(memory) == version


def test_a_ledger_that_contradicts_itself_is_named(memory: HybridMemory) -> None:
    with sqlite3.connect(memory.folder.ledger) as connection:
        connection.execute("UPDATE facts SET superseded_by = 'fa_none'")
    connection.close()
    found = memory.doctor(repair=True)
    assert found
    assert all(line.startswith("the ledger: ") and "from a copy" in line for line in found)
