"""Imports into a memory: once, again, longer, edited, erased, corrected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.core.records import Episode
from tests.importers.exports import EXPORTS, lines, write

SAID = ["I adopted a ferret.", "Her name is Pip."]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "home", ledger="memory", vectors="memory", embedder="hashing") as memory:
        yield memory


def texts(memory: HybridMemory) -> list[str]:
    return [each.text for each in memory.list(kind="episode")]


@pytest.mark.parametrize("format", sorted(EXPORTS))
def test_the_same_import_twice_adds_nothing_and_a_longer_one_what_is_new(
    memory: HybridMemory, tmp_path: Path, format: str
) -> None:
    path = EXPORTS[format](tmp_path, SAID)
    first = memory.add_from(path)
    assert first.added and not first.broken and not first.already
    again = memory.add_from(path)
    assert (again.added, again.updated, again.already) == ((), (), len(first.added))
    longer = memory.add_from(EXPORTS[format](tmp_path, [*SAID, "She bites."]))
    assert longer.added and len(texts(memory)) == len(first.added) + len(longer.added)
    assert longer.already == len(first.added) and not longer.updated


def test_a_ledger_on_disk_adds_nothing_twice(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "memory.jsonl",
        lines(
            {"type": "entity", "name": "Ana", "observations": ["Sings"]},
            {"type": "relation", "from": "Ana", "to": "Bob", "relationType": "knows"},
        ),
    )
    for added in (1, 0):
        with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
            report = memory.add_from(path)
            assert (len(report.added), len(report.facts), report.already) == (added, added, 2 - 2 * added)
    with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
        episode, fact = memory.list()
        memory.delete(episode.id)
        memory.delete(fact.id)
        assert memory.add_from(path).erased == 2 and memory.list() == []
        assert memory.at("other").add_from(path).added
        assert memory.ledger.check() == []


def test_a_message_edited_since_is_an_update(memory: HybridMemory, tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines({"text": "I have a ferret.", "id": "m1"}, {"text": "b", "id": "m2"}))
    ids = memory.add_from(path).added
    write(tmp_path, "log.jsonl", lines({"text": "I have two ferrets.", "id": "m1"}, {"text": "b", "id": "m2"}))
    report = memory.add_from(path)
    assert (report.added, report.updated, report.already) == ((), ids[:1], 1)
    assert [(event.event, event.text) for event in memory.history(ids[0])] == [
        ("added", "I have a ferret."),
        ("updated", "I have two ferrets."),
    ]
    assert memory.add_from(path).updated == ()


def test_your_own_correction_stays(memory: HybridMemory, tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines({"text": "I have a feret.", "id": "m1"}))
    (id,) = memory.add_from(path).added
    memory.update(id, "I have a ferret.")
    assert memory.add_from(path).already == 1 and texts(memory) == ["I have a ferret."]


def test_what_was_erased_stays_away(memory: HybridMemory, tmp_path: Path) -> None:
    path = EXPORTS["jsonl"](tmp_path, SAID)
    memory.delete(memory.add_from(path).added[0])
    report = memory.add_from(path)
    assert (report.added, report.erased, report.already) == ((), 1, 1)
    assert texts(memory) == ["Her name is Pip."]


def test_a_facts_equal_is_no_second_fact(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_fact("Ana", "knows", "Bob")
    path = write(tmp_path, "m.jsonl", lines({"type": "relation", "from": "ana", "to": "Bob", "relationType": "knows"}))
    assert memory.add_from(path).facts == () and [fact.evidence for fact in memory.ledger.facts(("default",))] == [1]


def test_who_you_are_can_be_said_later(memory: HybridMemory, tmp_path: Path) -> None:
    path = write(tmp_path, "chat.txt", "14/11/2023, 22:13 - Ivo: hi\n14/11/2023, 22:14 - Ana: ho\n")
    first = memory.add_from(path)
    assert "--me NAME" in first.notes[0] and {episode.trust for episode in episodes(memory)} == {"web"}
    report = memory.add_from(path, me=["ana"])
    assert (report.added, report.updated, report.notes) == ((), first.added[1:], ())
    assert [(episode.speaker, episode.role, episode.trust) for episode in episodes(memory)] == [
        ("Ivo", "participant", "web"),
        ("Ana", "user", "user"),
    ]
    assert memory.add_from(path).already == 2 and episodes(memory)[1].trust == "user"


def episodes(memory: HybridMemory) -> list[Episode]:
    return sorted((each for each in memory.list(kind="episode") if isinstance(each, Episode)), key=lambda each: each.at)


def test_a_batch_that_another_process_stored_meanwhile_is_looked_at_again(
    memory: HybridMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = EXPORTS["jsonl"](tmp_path, SAID)
    look = memory.ledger.get_many
    looks: list[int] = []

    def late(*given: object) -> object:
        looks.append(1)
        if len(looks) == 1:
            monkeypatch.undo()
            memory.add_from(path)
            monkeypatch.setattr(memory.ledger, "get_many", late)
            return {}
        return look(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(memory.ledger, "get_many", late)
    assert memory.add_from(path).already == 2 and texts(memory) == SAID


def test_a_bad_value_costs_its_line_alone(memory: HybridMemory, tmp_path: Path) -> None:
    good = [json.dumps({"text": f"line {number}"}) for number in range(1200)]
    good[700] = '{"text": "x", "metadata": {"score": NaN}}'
    report = memory.add_from(write(tmp_path, "log.jsonl", "\n".join(good)))
    assert len(report.added) == 1199 and [each.number for each in report.broken] == [701]
