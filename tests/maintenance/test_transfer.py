"""A namespace to a file and back: nothing is lost, and nothing that is broken gets in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.edit import Edit
from hybridmem.core.errors import HybridMemError, InvalidInput, NewerFormat
from hybridmem.core.records import new_id
from hybridmem.maintenance.transfer import export, import_
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, day, episode, fact
from hybridmem.testing.ledger_twins import World, operations


@pytest.fixture
def lived() -> InMemoryLedger:
    """Memories that were superseded, reworded, set aside and erased."""
    ledger = InMemoryLedger()
    ledger.append([episode("e1", "Ana lives in Oslo."), episode("e2", "Zoë 🦦\n\u2028said", speaker="Zoë")])
    ledger.append([episode("e3", metadata={"odd": "\ud800", "n": [1, 2.5, None]}), episode("e4")])
    ledger.mark_extracted(ANA, ["e1"])
    ledger.put_fact(fact("f1", "Oslo", 1, ("e1",)))
    ledger.put_fact(fact("f2", "Lisbon", 5, ("e2",)))
    ledger.update_text(ANA, "e3", "other words", day(70))
    ledger.set_quarantine(ANA, "e4", True, day(71))
    ledger.append([episode("e5", "a secret")])
    ledger.erase(ANA, "e5", day(72))
    return ledger


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """New SQL ledgers."""
    opened: list[SqlLedger] = []

    def new() -> Ledger:
        opened.append(SqlLedger(tmp_path / f"{len(opened)}.sqlite3"))
        return opened[-1]

    yield new
    for ledger in opened:
        ledger.close()


def test_an_export_read_in_elsewhere_exports_the_same(
    lived: Ledger, ledgers: Callable[[], Ledger], tmp_path: Path
) -> None:
    written = export(lived, ANA, tmp_path / "a.jsonl")
    other = ledgers()
    assert import_(other, BEN, tmp_path / "a.jsonl").lines == written
    assert export(other, BEN, tmp_path / "b.jsonl") == written
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert b"secret" not in (tmp_path / "a.jsonl").read_bytes()
    assert [f.object for f in other.facts(BEN)] == ["Lisbon"]
    assert [f.object for f in other.facts(BEN, as_of=day(2))] == ["Oslo"]
    assert [e.event for e in other.history(BEN, "e5")] == ["added", "deleted"]
    assert other.history(BEN, "e3") == lived.history(ANA, "e3")
    assert [e.id for e in other.unextracted(BEN)] == ["e2", "e3"]
    assert other.check() == []
    assert sorted(file.name for file in tmp_path.glob("*.jsonl*")) == ["a.jsonl", "b.jsonl"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(operations(), min_size=5, max_size=25))
def test_whatever_happened_comes_back(steps: list[tuple[str, Any]]) -> None:
    ledger, world = InMemoryLedger(), World()
    for _, step in steps:
        try:
            step(ledger, world)
        except HybridMemError:
            continue
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other = SqlLedger(folder / "ledger.sqlite3")
        try:
            for home in world.homes:
                export(ledger, home, folder / "a")
                import_(other, home, folder / "a")
                export(other, home, folder / "b")
                assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
            assert other.check() == []
        finally:
            other.close()


def test_an_empty_namespace_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert export(InMemoryLedger(), ANA, path) == 0
    assert json.loads(path.read_text()) == {
        "format": "hybridmem-export",
        "version": 1,
        "episodes": 0,
        "facts": 0,
        "events": 0,
    }
    assert import_(InMemoryLedger(), ANA, path).lines == 0


def test_expiry_metadata_of_facts_and_edits_travel_in_version_3(lived: Ledger, tmp_path: Path) -> None:
    for number, change in enumerate(
        (
            lambda: lived.edit(ANA, "e1", Edit({"a": 1}), NOW),
            lambda: lived.append([episode("e6", expires_at=day(90))]),
            lambda: lived.put_fact(fact("f6", "tea", relation="likes", metadata={"a": 1})),
        )
    ):
        change()
        path = tmp_path / f"{number}.jsonl"
        export(lived, ANA, path)
        assert json.loads(path.read_text().splitlines()[0])["version"] == 3
        other = InMemoryLedger()
        import_(other, ANA, path)
        export(other, ANA, tmp_path / "again.jsonl")
        assert (tmp_path / "again.jsonl").read_text() == path.read_text()


def test_a_question_travels_and_only_then_is_the_version_new(lived: Ledger, tmp_path: Path) -> None:
    path, asked = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    export(lived, ANA, path)
    assert json.loads(path.read_text().splitlines()[0])["version"] == 1
    assert '"question"' not in path.read_text()
    lived.put_fact(fact("f9", "Riga", question="Where does Ana keep her boat?"))
    export(lived, ANA, asked)
    assert json.loads(asked.read_text().splitlines()[0])["version"] == 2
    other = InMemoryLedger()
    import_(other, ANA, asked)
    (moved,) = [each for each in other.facts(ANA) if each.question]
    assert moved.slot == ("", "where does ana keep her boat")


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("line", "change", "message"),
    [
        (3, lambda value: value.update(text=" "), "line 3 of .* is broken \\(the text is empty"),
        (3, lambda value: value.update(text=7), "line 3 of .*its text cannot be 7"),
        (3, lambda value: value.update(at="yesterday"), "line 3 of .* is not a date"),
        (3, lambda value: value.update(trust="god"), "line 3 of .*its trust cannot be"),
        (3, lambda value: value.update(quarantined=1), "line 3 of .*its quarantined cannot be 1"),
        (3, lambda value: value.pop("role"), "line 3 of .*it lacks the field 'role'"),
        (3, lambda value: value.update(mood="good"), "line 3 of .*it has the unknown field 'mood'"),
        (3, lambda value: value.update(kind="dream"), "line 3 of .*its kind is not one of"),
        (6, lambda value: value.update(evidence=0), "line 6 of .* has evidence 0"),
        (6, lambda value: value.update(sources=["e9"]), "comes from 'e9', which is not there"),
        (8, lambda value: value.update(event="dreamt"), "line 8 of .*its event cannot be"),
        (1, lambda value: value.update(facts=3), "has 2 facts and its header says 3"),
        (1, lambda value: value.pop("facts"), "line 1 of .* lacks a count"),
        (1, lambda value: value.pop("format"), "no file that `hybridmem export` wrote"),
    ],
)
def test_a_broken_line_is_named_and_nothing_gets_in(
    lived: Ledger, tmp_path: Path, line: int, change: Change, message: str
) -> None:
    path = tmp_path / "a.jsonl"
    export(lived, ANA, path)
    lines = path.read_text(encoding="utf-8").split("\n")
    value = json.loads(lines[line - 1])
    change(value)
    lines[line - 1] = json.dumps(value)
    path.write_text("\n".join(lines), encoding="utf-8")
    _refused(path, message)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (b'{"kind": "epis', "line 3 of .*it is not JSON"),
        (b"", "it was cut or edited"),
        (b'"\xff"', "line 3 of .*it is not UTF-8 at byte 2"),
        (b"[" * 100_000, "line 3 of .*it is not JSON"),
        (b"17", "line 3 of .*its kind is not one of"),
    ],
)
def test_a_line_that_is_no_record_is_named(lived: Ledger, tmp_path: Path, spoilt: bytes, message: str) -> None:
    path = tmp_path / "a.jsonl"
    export(lived, ANA, path)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], spoilt, *lines[3:]]))
    _refused(path, message)


def test_a_file_that_was_cut_short_is_refused(lived: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export(lived, ANA, path)
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:-3]) + b"\n")
    _refused(path, "events and its header says")


def _refused(path: Path, message: str) -> None:
    other = InMemoryLedger()
    with pytest.raises(InvalidInput, match=message) as refused:
        import_(other, ANA, path)
    assert "\n" not in str(refused.value)
    assert other.namespaces() == []


def test_files_of_other_makings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for content in (b"", b"hello\n", b'{"text": "a conversation"}\n', b"[]\n"):
        path.write_bytes(content)
        _refused(path, "a.jsonl")
    _refused(tmp_path / "none.jsonl", "no file")
    _refused(tmp_path, "is a folder")
    path.write_text('{"format": "hybridmem-export", "version": 5}\n')
    with pytest.raises(NewerFormat, match="format 5"):
        import_(InMemoryLedger(), ANA, path)


def test_a_file_of_an_earlier_version_means_the_same(ledgers: Callable[[], Ledger], tmp_path: Path) -> None:
    """What ended what, and what stood side by side, was not written down: it is what came of it."""
    ledger, other = InMemoryLedger(), ledgers()
    ledger.put_fact(fact("f1", "Lisbon"))
    ledger.put_fact(fact("f2", "Oslo", 3))
    ledger.put_fact(fact("f3", "tea", relation="likes"), replace=False)
    ledger.put_fact(fact("f4", "chess", relation="likes"), replace=False)
    ledger.put_fact(fact("f5", "Acme", relation="works at", valid_to=day(9)))
    path = tmp_path / "a.jsonl"
    export(ledger, ANA, path)
    header, *lines = map(json.loads, path.read_text().splitlines())
    assert header["version"] == 3
    older = [{name: each for name, each in line.items() if name not in ("stated_to", "replaces")} for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in ({**header, "version": 2}, *older)))
    import_(other, ANA, path)
    other.put_fact(fact("f6", "go", relation="likes"), replace=False)
    other.erase(ANA, "f2", NOW)
    assert [f.object for f in other.facts(ANA)] == ["Lisbon", "tea", "chess", "Acme", "go"]
    assert [f.object for f in other.facts(ANA, as_of=day(9))] == ["Lisbon", "tea", "chess", "go"]


def test_a_failed_export_leaves_what_was_there(lived: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("older")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hybridmem.maintenance.transfer.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        export(lived, ANA, path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]
    assert path.read_text() == "older"


def test_many_memories_cross_the_batches(ledgers: Callable[[], Ledger], tmp_path: Path) -> None:
    ledger, other = InMemoryLedger(), ledgers()
    ledger.append([episode(new_id("ep"), f"turn {number}") for number in range(1200)])
    assert export(ledger, ANA, tmp_path / "a") == 1200
    assert import_(other, ANA, tmp_path / "a").lines == 1200
    assert [e.text for e in other.episodes(ANA)] == [f"turn {number}" for number in range(1200)]


def test_empty_lines_are_no_records(lived: Ledger, ledgers: Callable[[], Ledger], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export(lived, ANA, path)
    path.write_text(path.read_text().replace("\n", "\n\n") + " \n")
    other = ledgers()
    import_(other, ANA, path)
    assert export(other, ANA, tmp_path / "b.jsonl") == export(lived, ANA, tmp_path / "c.jsonl")
