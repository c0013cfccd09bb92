"""Files that grow: nothing lost, nothing doubled, whatever happens to them between two looks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.importers import BrokenLine, ImportedTurn
from hybridmem.importers.watch import Watcher
from tests.importers.exports import claude_code_line, lines, write
from tests.importers.test_archive import packed


def line(number: int) -> str:
    return lines(claude_code_line("user", f"said {number}", number % 60, uuid=f"0123456789abcdef-{number}"))


def looked(watcher: Watcher) -> list[str]:
    return [entry.text for entry in watcher.poll() if isinstance(entry, ImportedTurn)]


def append(path: Path, text: str) -> None:
    with path.open("a") as stream:
        stream.write(text)


def test_lines_flow_in_and_half_a_line_waits(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", line(0))
    watcher = Watcher(tmp_path)
    assert looked(watcher) == ["said 0"] and looked(watcher) == []
    append(path, line(1) + line(2)[:30])
    assert looked(watcher) == ["said 1"] and looked(watcher) == []
    append(path, line(2)[30:])
    assert looked(watcher) == ["said 2"] and looked(watcher) == []


def test_a_last_line_without_its_end_is_read_once_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", line(0) + line(1).rstrip("\n"))
    watcher = Watcher(path)
    assert looked(watcher) == ["said 0"] and looked(watcher) == ["said 1"] and looked(watcher) == []
    append(path, "\n" + line(2))
    assert looked(watcher) == ["said 2"]


def test_new_sessions_and_folders_are_found(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path)
    assert looked(watcher) == []
    write(tmp_path, "project/s1.jsonl", "")
    assert looked(watcher) == []
    write(tmp_path, "project/s1.jsonl", line(0)[:20])
    assert looked(watcher) == []
    write(tmp_path, "project/s1.jsonl", line(0))
    assert looked(watcher) == ["said 0"]


def test_rotation_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", line(0))
    watcher = Watcher(path)
    assert looked(watcher) == ["said 0"]
    append(path, line(1))
    path.rename(tmp_path / "s1.jsonl.1")
    write(tmp_path, "s1.jsonl", line(2))
    assert looked(watcher) == ["said 1", "said 2"]
    path.write_text(line(3))  # cut, and begun anew
    assert looked(watcher) == ["said 3"]
    path.write_text(line(4) + line(5) + line(6))  # cut, and longer than before already
    assert looked(watcher) == ["said 4", "said 5", "said 6"]
    path.unlink()
    assert looked(watcher) == []


def test_a_restart_gives_the_same_keys(tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines({"text": "yes"}, {"text": "yes"}))
    watcher = Watcher(path)
    before = [entry.key for entry in watcher.poll() if isinstance(entry, ImportedTurn)]
    append(path, lines({"text": "yes"}))
    before += [entry.key for entry in watcher.poll() if isinstance(entry, ImportedTurn)]
    after = [entry.key for entry in Watcher(path).poll() if isinstance(entry, ImportedTurn)]
    assert before == after and len(set(after)) == 3


def test_a_broken_line_is_reported_once(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", line(0) + "not json\n")
    watcher = Watcher(tmp_path)
    assert [each.number for each in watcher.poll() if isinstance(each, BrokenLine)] == [2]
    append(path, line(1))
    assert not [each for each in watcher.poll() if isinstance(each, BrokenLine)]


def test_a_log_that_tells_late_whose_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", '{"kind": "header"}\n')
    watcher = Watcher(path)
    assert looked(watcher) == []
    append(path, line(0) + line(1))
    assert looked(watcher) == ["said 0", "said 1"] and looked(watcher) == []


def test_notes_are_read_again_once_they_stand_still(tmp_path: Path) -> None:
    path = write(tmp_path, "note.md", "# Pip\nbites")
    watcher = Watcher(tmp_path)
    assert looked(watcher) == ["# Pip\nbites"]
    path.write_text("# Pip\nbites no more")
    assert looked(watcher) == [] and looked(watcher) == ["# Pip\nbites no more"] and looked(watcher) == []
    os.utime(path, (1, 1))
    assert looked(watcher) == [] and len(looked(watcher)) == 1


def test_a_watched_file_is_read_in_its_zone(tmp_path: Path) -> None:
    path = write(tmp_path, "s1.jsonl", lines({"text": "x", "at": "2026-03-01 09:00"}))
    for look in range(2):
        (turn,) = (each for each in Watcher(path, timezone="Asia/Tokyo").poll() if isinstance(each, ImportedTurn))
        assert turn.at is not None and turn.at.hour == 0, look


def test_what_cannot_grow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not grow"):
        Watcher(packed(tmp_path, a_txt="x"))
    with pytest.raises(InvalidInput, match="no file"):
        Watcher(tmp_path / "missing")


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_way_of_writing_gives_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The file is written in pieces of any length, and looked at in between. Until it has a line end, it may be a
    document, which is read again when it has grown: under the same key."""
    path = tmp_path_factory.mktemp("watched") / "s1.jsonl"
    content = "".join(line(number) for number in range(data.draw(st.integers(1, 6))))
    watcher = Watcher(path.parent)
    seen: dict[str | None, str] = {}
    start = 0
    while start < len(content):
        end = data.draw(st.integers(start + 1, len(content)))
        append(path, content[start:end])
        start = end
        for _ in range(data.draw(st.integers(0, 2))):
            seen |= {entry.key: entry.text for entry in watcher.poll() if isinstance(entry, ImportedTurn)}
    for _ in range(2):
        seen |= {entry.key: entry.text for entry in watcher.poll() if isinstance(entry, ImportedTurn)}
    assert list(seen.values()) == [json.loads(each)["message"]["content"] for each in content.splitlines()]
