"""What comes twice is remembered once, where the chat or the file says that it is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.core.records import Episode


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", ledger="memory", embedder="hashing") as opened:
        yield opened


def imported(memory: HybridMemory, path: Path) -> list[Episode]:
    report = memory.add_from(path)
    return [episode for episode in memory.list(limit=5000) if episode.id in report.added]


FILES = {
    "a.jsonl": "\n".join(
        json.dumps({"role": "user", "content": text, "created_at": at, "session": "s1"})
        for text, at in (
            ("I adopted a ferret.", "2026-03-01T09:00:00Z"),
            ("ok", "2026-03-01T09:01:00Z"),
            ("ok", "2026-03-02"),
        )
    ),
    "b.jsonl": "\n".join(json.dumps({"text": text}) for text in ("I like tea.", "ok", "ok", "Noted. \ud83d")),
    "c.json": json.dumps({"messages": [{"role": "user", "content": "Hello there.", "id": "m1"}]}),
    "d.txt": "Ana: I like tea.\nBen: Me too.\nAna: ok\nBen: ok\nAna: ok\n",
}


@pytest.mark.parametrize(("name", "content"), FILES.items())
def test_a_file_is_imported_once(memory: HybridMemory, tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    first = imported(memory, path)
    assert first
    assert imported(memory, path) == []
    assert memory.list() == first


def test_what_a_file_has_got_since_is_added(memory: HybridMemory, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"turn {number % 7}", "session": "s"}) for number in range(1300)]
    path.write_text("\n".join(lines[:900]))
    assert len(imported(memory, path)) == 900
    path.write_text("\n".join(lines))
    assert [episode.text for episode in imported(memory, path)] == [f"turn {number % 7}" for number in range(900, 1300)]


def test_what_differs_in_one_thing_is_another_turn(memory: HybridMemory, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = {
        "role": "user",
        "content": "ok",
        "created_at": "2026-03-01T09:00:00Z",
        "session": "s",
        "name": "Ana",
        "id": "1",
    }
    path.write_text(json.dumps(line))
    assert len(imported(memory, path)) == 1
    for change in ({"id": "2"}, {"session": "t"}):
        path.write_text(json.dumps(line | change))
        assert len(imported(memory, path)) == 1, change
    path.write_text(json.dumps(line | {"content": "ok."}))
    assert len(memory.add_from(path).updated) == 1, "the message was edited since"
    path.write_text(json.dumps(line | {"created_at": "2026-03-05T09:00:00Z"}))
    assert imported(memory, path) == [], "the id says that it is the same"


def test_a_message_with_an_id_is_added_once(memory: HybridMemory) -> None:
    chat = [
        {"role": "user", "content": "I like tea.", "id": "m1"},
        {"role": "assistant", "content": "Noted.", "id": "m2"},
    ]
    first = memory.add(chat, session="s")
    again = memory.add([*chat, {"role": "user", "content": "And coffee.", "id": "m3"}], session="s")
    assert [episode.id for episode in again[:2]] == [episode.id for episode in first]
    assert [episode.text for episode in memory.list()] == ["I like tea.", "Noted.", "And coffee."]
    assert memory.add(chat, session="t")[0].id != first[0].id


def test_a_message_that_was_edited_has_its_new_words(memory: HybridMemory) -> None:
    (first,) = memory.add({"role": "user", "content": "I like tea.", "id": "m1"}, session="s")
    (edited,) = memory.add({"role": "user", "content": "I like coffee.", "id": "m1"}, session="s")
    assert (edited.id, edited.text) == (first.id, "I like coffee.")
    assert [episode.text for episode in memory.list()] == ["I like coffee."]
    assert [event.text for event in memory.history(first.id)] == ["I like tea.", "I like coffee."]
    assert [hit.text for hit in memory.search("coffee")] == ["I like coffee."]
    assert memory.add({"role": "user", "content": "I like tea.", "id": "m1"}, session="s")[0].text == "I like coffee."


def test_a_correction_stays_until_the_message_is_edited(memory: HybridMemory) -> None:
    (first,) = memory.add({"role": "user", "content": "I like tee.", "id": "m1"}, session="s")
    memory.update(first.id, "I like tea.")
    assert memory.add({"role": "user", "content": "I like tee.", "id": "m1"}, session="s")[0].text == "I like tea."
    assert memory.add({"role": "user", "content": "I like mate.", "id": "m1"}, session="s")[0].text == "I like mate."


@pytest.mark.parametrize("session", [None, "s"])
def test_an_id_that_stands_for_several_texts_is_none(memory: HybridMemory, session: str | None) -> None:
    texts = ["I like tea.", "I like tea.", "I moved to Riga."]
    added = memory.add([{"role": "user", "content": text, "id": "1"} for text in texts], session=session)
    assert [episode.text for episode in added] == texts
    kept = memory.list()
    assert "I moved to Riga." in [episode.text for episode in kept]
    memory.add([{"role": "user", "content": text, "id": "1"} for text in texts], session=session)
    assert memory.list() == kept


def test_short_ids_without_a_session_replace_nothing(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add({"role": "user", "content": "I like tea.", "id": "1"})
    memory.add({"role": "user", "content": "I moved to Riga.", "id": "1"})
    for name, text in (("a.jsonl", "Ana sings."), ("b.jsonl", "Ivo plays chess.")):
        (tmp_path / name).write_text(json.dumps({"text": text, "id": 1}))
        assert len(memory.add_from(tmp_path / name).added) == 1
    assert len(memory.list()) == 4


def test_another_speaker_with_the_same_id_is_another_message(memory: HybridMemory) -> None:
    memory.add({"role": "user", "content": "I like tea.", "id": "m1"}, session="s")
    memory.add({"role": "assistant", "content": "You like tea.", "id": "m1"}, session="s")
    assert [episode.role for episode in memory.list()] == ["user", "assistant"]


def test_a_message_that_was_erased_can_be_sent_again(memory: HybridMemory) -> None:
    message = {"role": "user", "content": "I like tea.", "id": "m1"}
    memory.delete(memory.add(message, session="s")[0].id)
    assert memory.add(message, session="s")[0].text == "I like tea."
    assert len(memory.list()) == 1


def test_a_secret_that_is_not_stored_is_no_edit(tmp_path: Path) -> None:
    message = {"role": "user", "content": "The wifi password is Tr0ub4dor&3.", "id": "m1"}
    with HybridMemory.open(tmp_path / "m", ledger="memory", embedder="hashing", redact="store") as memory:
        first = memory.add(message, session="s")[0]
        assert memory.add(message, session="s")[0].id == first.id
        assert len(memory.history(first.id)) == 1


def test_a_digest_is_no_card_number(memory: HybridMemory, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": f"Note {number}", "session": "s"}) + "\n" for number in range(300)))
    report = memory.add_from(path)
    marks = [memory.get(id).metadata["import_digest"] for id in report.added]
    assert not any(mark.isdecimal() for mark in marks)
    assert memory.secrets() == []


def test_what_is_said_twice_is_remembered_twice(memory: HybridMemory) -> None:
    for _ in range(2):
        memory.add("ok", session="s")
        memory.add([{"role": "user", "content": "ok"}], session="s")
    assert len(memory.list()) == 4


def test_a_backup_comes_back_without_what_was_erased(memory: HybridMemory, tmp_path: Path) -> None:
    gone, kept = memory.add("Ana lives in Porto.")[0], memory.add("Ivo plays cello.")[0]
    memory.export(tmp_path / "b.jsonl")
    memory.delete(gone.id)
    taken = memory.import_(tmp_path / "b.jsonl")
    assert (taken.lines, taken.there, taken.erased) == (0, 1, 1)
    memory.delete(kept.id)
    taken = memory.import_(tmp_path / "b.jsonl")
    assert (taken.lines, taken.there, taken.erased) == (0, 0, 2)
    other = memory.at("another")
    assert other.import_(tmp_path / "b.jsonl").memories == 2
    assert [episode.text for episode in other.list()] == ["Ana lives in Porto.", "Ivo plays cello."]
    assert {episode.id for episode in other.list()}.isdisjoint({gone.id, kept.id})
