"""Which nights of a stream begin at the bare base, where every strategy that learns everything anew looks alike."""

from __future__ import annotations

from pathlib import Path

from hybridmem.evaluation.stream import Stream, StreamDelete, StreamFact
from hybridmem.evaluation.suites.forgetting import run
from hybridmem.models.fake import FakeModel
from tests.dreaming.nights import open_memory


def lives(night: int, person: str, town: str, supersedes: str | None = None) -> StreamFact:
    question = f"Where does {person} live?"
    return StreamFact(night, f"{person}{night}", f"{person} lives in {town}.", town, (question,), supersedes)


TOLD = (lives(1, "Ana", "Lisbon"), lives(1, "Ben", "Oslo"), lives(2, "Cara", "Riga"))


def parents(folder: Path, *events: StreamFact | StreamDelete) -> list[str | None]:
    """Of each night's adapter, under `replay`."""
    out = run(Stream(events), "replay", lambda: open_memory(folder, FakeModel()), gate=False)
    assert set(out["gate"]) == {"promoted"}
    assert out["stale_answer_rate"] in (None, 0.0) and out["deleted_answer_rate"] in (None, 0.0)
    return [night["parent"] for night in out["nights"]]


def test_facts_alone_and_facts_that_change_go_on_from_the_night_before(tmp_path: Path) -> None:
    changed = lives(3, "Ana", "Porto", supersedes="Ana1")
    assert parents(tmp_path / "memory", *TOLD, changed, lives(4, "Dan", "Bern")) == [None, "v0001", "v0002", "v0003"]


def test_a_deletion_begins_at_the_base(tmp_path: Path) -> None:
    found = parents(
        tmp_path / "memory", *TOLD, lives(3, "Dan", "Bern"), StreamDelete(3, "Ana1"), lives(4, "Eve", "Bonn")
    )
    assert found == [None, "v0001", None, "v0003"]


def test_so_does_the_deletion_of_a_value_that_was_superseded_before(tmp_path: Path) -> None:
    changed = lives(2, "Ana", "Porto", supersedes="Ana1")
    assert parents(tmp_path / "memory", *TOLD[:2], changed, StreamDelete(3, "Ana1"), lives(3, "Dan", "Bern")) == [
        None,
        "v0001",
        None,
    ]
