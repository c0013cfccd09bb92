"""The commands that a user types, on a real memory folder; the hashing embedder stands in for MiniLM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridmem.cli.app import run
from tests import scripts


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYBRIDMEM_EMBEDDER", "hashing")


class Terminal:
    """Runs commands with ``--json`` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        self._capsys.readouterr()
        left = run([*arguments, "--json"])
        out, err = self._capsys.readouterr()
        assert left == code, err
        assert bool(err) == (code == 2) or err.startswith("note: ")
        return json.loads(out)


@pytest.fixture
def hybridmem(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)


def test_a_memory_from_its_first_word_to_its_erasure(hybridmem: Terminal) -> None:
    (ana,) = hybridmem("add", "Ana moved to Lisbon in March.", "--at", "2026-03-01")["added"]
    (ferret,) = hybridmem("add", "I adopted a ferret.", "--session", "s1")["added"]
    assert [m["id"] for m in hybridmem("list")["memories"]] == [ana["id"], ferret["id"]]
    assert hybridmem("search", "ferret")["hits"][0]["id"] == ferret["id"]
    assert hybridmem("show", ana["id"])["at"] == "2026-03-01T00:00:00+00:00"

    hybridmem("update", ana["id"], "Ana moved to Porto in March.")
    assert [event["event"] for event in hybridmem("history", ana["id"])["events"]] == ["added", "updated"]
    assert hybridmem("search", "Porto")["hits"][0]["text"] == "Ana moved to Porto in March."

    hybridmem("quarantine", ferret["id"])
    assert ferret["id"] not in [hit["id"] for hit in hybridmem("search", "ferret")["hits"]]
    hybridmem("release", ferret["id"])
    assert ferret["id"] in [hit["id"] for hit in hybridmem("search", "ferret")["hits"]]

    receipt = hybridmem("delete", ana["id"])
    assert receipt["removed"]["ledger"] == receipt["removed"]["vectors"] == 1
    assert hybridmem("show", ana["id"], code=2)["type"] == "UnknownMemory"
    assert hybridmem("stats")["episodes"] == 1
    assert b"Porto" not in b"".join(path.read_bytes() for path in Path("memory").rglob("*") if path.is_file())


def test_nothing_crosses_a_namespace(hybridmem: Terminal) -> None:
    (mine,) = hybridmem("add", "My ferret is called Otto.", "--namespace", "users/ana")["added"]
    assert hybridmem("search", "ferret", "--namespace", "users/bo")["hits"] == []
    assert hybridmem("show", mine["id"], "--namespace", "users/bo", code=2)["type"] == "UnknownMemory"


def test_a_namespace_moves_house(hybridmem: Terminal) -> None:
    for text in ("Ana lives in Lisbon.", "I adopted a ferret."):
        last = hybridmem("add", text, "--metadata", "channel=chat")["added"][0]
    hybridmem("update", last["id"], "I adopted two ferrets.")
    hybridmem("export", "out.jsonl")
    hybridmem("import", "out.jsonl", "--memory", "elsewhere")
    for command in (("list",), ("history", last["id"]), ("show", last["id"])):
        assert hybridmem(*command) == hybridmem(*command, "--memory", "elsewhere")
    hybridmem("export", "again.jsonl", "--memory", "elsewhere")
    assert Path("again.jsonl").read_text() == Path("out.jsonl").read_text()
    assert hybridmem("search", "ferrets", "--memory", "elsewhere")["hits"][0]["id"] == last["id"]


def test_indexes_are_rebuilt_and_the_doctor_is_content(hybridmem: Terminal) -> None:
    hybridmem("add", "I adopted a ferret.")
    before = hybridmem("search", "ferret")
    assert hybridmem("reindex")["indexed"] == 1
    assert hybridmem("search", "ferret") == before
    told = hybridmem("doctor")
    assert told["found"] == told["left"] == []


def test_what_another_embedder_made_is_refused(hybridmem: Terminal) -> None:
    hybridmem("add", "I adopted a ferret.")
    hybridmem("search", "ferret")
    refused = hybridmem("search", "ferret", "--embedder", "all-MiniLM-L6-v2", code=2)
    assert refused["type"] == "EmbeddingMismatch"
    assert "hybridmem reindex" in refused["error"]


def test_folders_that_are_no_memory_are_left_alone(hybridmem: Terminal) -> None:
    Path("photos").mkdir()
    Path("photos/cat.jpg").write_bytes(b"meow")
    assert hybridmem("add", "x", "--memory", "photos", code=2)["type"] == "NotAMemory"
    assert hybridmem("add", "x", "--memory", "photos/cat.jpg", code=2)["type"] == "NotAMemory"
    assert [path.name for path in Path("photos").iterdir()] == ["cat.jpg"]
    assert hybridmem("list", code=2)["type"] == "NotAMemory"
    assert not Path("memory").exists()


def test_processes_share_a_memory(tmp_path: Path) -> None:
    """Four writers at once, each a process of its own, then a reader: nothing is lost."""
    program = [sys.executable, "-m", "hybridmem.cli"]
    writers = [
        scripts.Popen([*program, "add", f"note {number}"], cwd=tmp_path, stdout=subprocess.DEVNULL)
        for number in range(4)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
    read = scripts.run_command([*program, "list", "--json"], cwd=tmp_path, text=True)
    texts = sorted(memory["text"] for memory in json.loads(read.stdout)["memories"])
    assert texts == [f"note {number}" for number in range(4)]
    assert read.stderr == ""


def test_a_contradiction_waits_for_a_word(hybridmem: Terminal, tmp_path: Path) -> None:
    from hybridmem.memory import HybridMemory

    hybridmem("add", "Ana lives in Lisbon.")
    assert hybridmem("review")["waiting"] == []
    with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
        memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2025-01-01")
        doubted = [memory.add_fact("Ana", "lives in", town, trust="web").id for town in ("Mordor", "Gondor")]
    waiting = hybridmem("review")["waiting"]
    assert [item["id"] for item in waiting] == doubted
    assert waiting[0]["accept"] == f"hybridmem review accept {doubted[0]}"
    assert hybridmem("review", "accept", doubted[0])["object"] == "Mordor"
    assert hybridmem("review", "reject", doubted[1])["removed"]["ledger"] == 1
    assert hybridmem("review")["waiting"] == []
    assert hybridmem("review", "accept", code=2)["type"] == "InvalidInput"
    shown = hybridmem("list", "--kind", "fact")["memories"]
    assert [fact["question"] for fact in shown] == [""]
