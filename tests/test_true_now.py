"""What is true now follows from the intervals of the facts that are there: nothing true vanishes in silence."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.models.fake import FakeModel

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = "Where does Ana live?"


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[HybridMemory]:
    opened = HybridMemory.open(tmp_path / "m", ledger="memory", embedder="hashing", model=FakeModel(), clock=clock)
    with opened:
        yield opened


def facts(memory: HybridMemory, query: str = HOME, as_of: str | None = None) -> list[str]:
    return [hit.text for hit in memory.search(query, kinds=("fact",), as_of=as_of)]


def test_a_value_that_goes_gives_its_place_back(memory: HybridMemory) -> None:
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2024-01-01")
    newer = memory.add_fact("Ana", "lives in", "Berlin", valid_from="2025-01-01")
    assert facts(memory) == ["Ana lives in Berlin."]
    memory.quarantine(newer.id)
    assert facts(memory) == ["Ana lives in Porto."]
    memory.release(newer.id)
    assert facts(memory) == ["Ana lives in Berlin."]
    memory.delete(newer.id)
    assert facts(memory) == ["Ana lives in Porto."]
    assert memory.answer(HOME).text == "Porto"


@pytest.mark.parametrize("ledger", ["memory", None])
def test_weights_give_way_on_the_day_that_a_successor_begins(tmp_path: Path, clock: Clock, ledger: str | None) -> None:
    """Before the night that trains the new value."""
    opened = HybridMemory.open(tmp_path / "m", ledger=ledger, embedder="hashing", model=FakeModel(), clock=clock)
    with opened as memory:
        memory.add_fact("Ana", "lives in", "Porto")
        memory.add_fact("Ana", "lives in", "Berlin", valid_from="2026-04-01")
        assert memory.dream().new_facts == 1
        assert [(a.text, a.route) for a in (memory.answer(HOME), memory.answer(HOME, route="weights"))] == [
            ("Porto", "weights"),
            ("Porto", "weights"),
        ]
        assert memory.answer(HOME, route="weights", reference_date="2026-04-02").route == "abstain"
        clock.now = datetime(2026, 4, 1, tzinfo=UTC)
        assert (memory.answer(HOME).text, memory.answer(HOME).route) == ("Berlin", "retrieval")
        for route in ("weights", "both"):
            assert memory.answer(HOME, route=route).text != "Porto"
        memory.dream()
        assert (memory.answer(HOME).text, memory.answer(HOME).route) == ("Berlin", "weights")


def test_what_a_statement_hid_is_found_again_once_it_is_gone(memory: HybridMemory) -> None:
    memory.add("Ana lives in Porto.")
    memory.dream()
    stated = memory.add_fact("Ana", "lives in", "Berlin")
    assert [hit.text for hit in memory.search(HOME)] == ["Ana lives in Berlin."]
    memory.delete(stated.id)
    assert "Ana lives in Porto." in [hit.text for hit in memory.search(HOME)]
    assert memory.answer(HOME).text == "Porto"


def test_what_is_said_last_stays_last_whatever_the_clock_did(memory: HybridMemory, clock: Clock) -> None:
    memory.add_fact("Ana", "lives in", "Porto")
    clock.now -= timedelta(minutes=10)
    last = memory.add_fact("Ana", "lives in", "Berlin")
    assert last.current
    assert facts(memory) == ["Ana lives in Berlin."]
    clock.now += timedelta(minutes=20)
    assert facts(memory) == ["Ana lives in Berlin."]
    clock.now -= timedelta(days=400)
    (told,) = memory.add("Ana lives in Rome.")
    assert told.at >= last.recorded_at
    memory.dream()
    assert facts(memory) == ["Ana lives in Rome."]


def test_a_naive_time_is_local_time(memory: HybridMemory, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        local = datetime(2026, 3, 1, 21, 0)
        assert parse_time(local) == NOON
        assert parse_time("2026-03-01T21:00") == datetime(2026, 3, 1, 21, tzinfo=UTC)
        assert memory.add_fact("Ana", "lives in", "Porto", valid_from=local).valid_from == NOON
        assert facts(memory) == ["Ana lives in Porto."]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_without_a_date_a_search_shows_what_is_true_today(memory: HybridMemory, clock: Clock) -> None:
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2024-01-01")
    memory.add_fact("Ana", "lives in", "Berlin", valid_from="2099-01-01")
    memory.add_fact("Ivo", "works at", "Acme", valid_from="2020-01-01", valid_to="2021-01-01")
    assert facts(memory) == ["Ana lives in Porto."]
    assert facts(memory, as_of="2099-06-01") == ["Ana lives in Berlin."]
    assert "Ivo works at Acme." not in facts(memory, "Where does Ivo work?")
    assert "Ivo works at Acme." in facts(memory, "Where does Ivo work?", as_of="2020-06-01")
    clock.now = datetime(2099, 2, 1, tzinfo=UTC)
    assert facts(memory) == ["Ana lives in Berlin."]


def test_a_dream_learns_what_is_true_today(memory: HybridMemory) -> None:
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2024-01-01")
    memory.add_fact("Ana", "lives in", "Berlin", valid_from="2099-01-01")
    memory.add_fact("Ivo", "lives in", "Oslo", valid_from="2020-01-01", valid_to="2021-01-01")
    assert memory.dream().status == "promoted"
    active = memory.adapters.active()
    assert active is not None
    assert [memory.get(id).text for id in active.facts] == ["Ana lives in Porto."]


def test_the_same_statement_for_two_intervals(memory: HybridMemory) -> None:
    memory.add_fact("Alex", "is assigned to", "Payments", valid_from="2020-01-01", valid_to="2021-01-01")
    memory.add_fact("Alex", "is assigned to", "Payments", valid_from="2025-01-01")
    found = [bool(facts(memory, "Alex Payments", as_of=day)) for day in ("2020-06-01", "2023-01-01", "2026-01-01")]
    assert found == [True, False, True]
    assert facts(memory, "Alex Payments") == ["Alex is assigned to Payments."]


def test_new_words_change_the_value_with_them(memory: HybridMemory) -> None:
    stated = memory.add_fact("Ana", "lives in", "Porto")
    moved = memory.update(stated.id, "Ana lives in Berlin.")
    assert (moved.text, moved.object) == ("Ana lives in Berlin.", "Berlin")
    back = memory.add_fact("Ana", "lives in", "Porto")
    assert back.id != stated.id
    assert facts(memory) == ["Ana lives in Porto."]
    assert memory.update(back.id, "Porto is where Ana lives.").object == "Porto"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Ana does not live in Porto.", "deny"),
        ("Ben lives in Berlin.", "name 'Ana'"),
        ("Ana has found a flat by the sea.", "object=VALUE"),
    ],
)
def test_words_that_state_another_fact_are_refused(memory: HybridMemory, text: str, match: str) -> None:
    stated = memory.add_fact("Ana", "lives in", "Porto")
    with pytest.raises(InvalidInput, match=match):
        memory.update(stated.id, text)
    assert memory.get(stated.id) == stated


def test_the_value_can_be_given_with_the_words(memory: HybridMemory) -> None:
    stated = memory.add_fact("Ana", "lives in", "Porto")
    assert memory.update(stated.id, "Ana has gone to Berlin for good.", object="Berlin").object == "Berlin"
    with pytest.raises(InvalidInput, match="do not say 'Rome'"):
        memory.update(stated.id, "Ana has gone to Berlin for good.", object="Rome")
    (said,) = memory.add("Ana lives in Porto.")
    with pytest.raises(InvalidInput, match="episode"):
        memory.update(said.id, "Ana lives in Rome.", object="Rome")


def test_a_relative_path_is_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with HybridMemory.open("memory", embedder="hashing") as memory:
        memory.add("I like tea.")
        monkeypatch.chdir(tmp_path / "b")
        assert [hit.text for hit in memory.search("tea")] == ["I like tea."]
    assert list((tmp_path / "b").iterdir()) == []


def test_indexes_that_are_gone_or_of_another_ledger_are_built_anew(tmp_path: Path) -> None:
    def found(query: str) -> list[str]:
        with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
            return [hit.text for hit in memory.search(query)]

    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        memory.add("I like tea.")
        memory.search("tea")
    backup = (tmp_path / "m" / "ledger.sqlite3").read_bytes()
    shutil.rmtree(tmp_path / "m" / "index")
    assert found("tea") == ["I like tea."]
    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        memory.delete(memory.list()[0].id)
        memory.add("I like coffee.")
        memory.search("coffee")
    (tmp_path / "m" / "ledger.sqlite3").write_bytes(backup)
    for rest in ("-wal", "-shm"):
        (tmp_path / "m" / f"ledger.sqlite3{rest}").unlink(missing_ok=True)
    assert found("tea") == ["I like tea."]
    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        assert memory.doctor() == []
