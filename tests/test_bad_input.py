"""What users get wrong and what machines do to them: exit code 2, one line on stderr that helps, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridmem.cli.app import run
from hybridmem.core.clock import utc_now
from hybridmem.core.records import AdapterRecord
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from tests import scripts
from tests.permissions import BOUND

ROOT = Path(__file__).parents[1]
KEPT = "Ana moved to Lisbon."
STATED = "Ana lives in Lisbon."
FAKE_BASE, OTHER_BASE = FakeModel().sha256, "b" * 64


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory with one episode, its vectors by the hashing embedder, and one active adapter."""
    folder = tmp_path_factory.mktemp("original") / "memory"
    with HybridMemory.open(folder, embedder=HashingEmbedder(64)) as memory:
        memory.add(KEPT)
        memory.search("Ana")
        fact = memory.add_fact("Ana", "lives in", "Lisbon")
        memory.catch_up()
        candidate = folder.with_name("candidate")
        candidate.mkdir()
        (candidate / "answers.json").write_text('{"Where does Ana live?": "Lisbon"}')
        record = AdapterRecord(
            "", ("default",), "fake", FAKE_BASE, None, "candidate", utc_now(), "d1", facts=(fact.id,)
        )
        memory.adapters.promote(memory.adapters.register(candidate, record).version)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of that memory, to be spoilt."""
    return Path(shutil.copytree(original, tmp_path / "memory"))


def hybridmem(folder: Path, *arguments: str | bytes, stdin: bytes = b"", first: str = "") -> Done:
    """The command line in a process of its own; `first` is code that runs in it before."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYBRIDMEM_")}
    environment["HYBRIDMEM_MODEL"] = "bundled"
    program = ["-c", f"{first}import runpy\nrunpy.run_module('hybridmem.cli', run_name='__main__')"]
    command = [sys.executable, *(program if first else ["-m", "hybridmem.cli"]), "--memory", str(folder), *arguments]
    done = scripts.run_command(command, stdin, env=environment, cwd=ROOT)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def assert_refused(done: Done, *words: str) -> None:
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.endswith("\n")
    assert len(done.err.splitlines()) == 1, done.err
    for word in words:
        assert word in done.err


def assert_nothing_lost(folder: Path, *more: str) -> None:
    ledger = SqlLedger(folder / "ledger.sqlite3")
    try:
        assert [episode.text for episode in ledger.episodes(("default",))] == [KEPT, *more]
        assert [fact.text for fact in ledger.facts(("default",))] == [STATED]
        assert ledger.namespaces() == [("default",)]
        assert ledger.check() == []
    finally:
        ledger.close()


# ---- what is typed


@dataclass(frozen=True)
class Typed:
    """A command line, and words of the line that refuses it."""

    arguments: tuple[str | bytes, ...]
    words: tuple[str, ...]
    stdin: bytes = b""


TYPED = {
    "no text": Typed(("add", ""), ("the text is empty",)),
    "blank stdin": Typed(("add", "-"), ("standard input is empty",), b" \n\t"),
    "10 MB": Typed(("add", "-"), ("10,000,000 characters", "1,000,000", "--from"), b"a" * 10_000_000),
    "latin-1 argument": Typed(("add", b"caf\xe9"), ("not valid Unicode at character 3",)),
    "latin-1 stdin": Typed(("add", "-"), ("not UTF-8 at byte 4",), b"caf\xe9"),
    "empty namespace part": Typed(("--namespace", "users//ana", "add", "x"), ("empty part", "users/ana")),
    "odd namespace part": Typed(("--namespace", "users/..", "add", "x"), ("'..'",)),
    "unknown id": Typed(("show", "ep_none"), ("no memory 'ep_none'", "hybridmem list")),
    "unknown id to delete": Typed(("delete", "ep_none"), ("no memory 'ep_none'",)),
    "no date": Typed(("add", "x", "--at", "yesterday"), ("'yesterday' is not a date", "2026-03-01")),
    "no day": Typed(("search", "x", "--as-of", "2026-02-30"), ("'2026-02-30' is not a date",)),
}


@pytest.fixture(scope="module")
def refusals(original: Path) -> dict[str, Done]:
    """What became of `TYPED`: each in a process of its own, several at once."""
    with ThreadPoolExecutor(4) as pool:
        running = {
            name: pool.submit(hybridmem, original, *typed.arguments, stdin=typed.stdin) for name, typed in TYPED.items()
        }
        return {name: done.result() for name, done in running.items()}


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_wrong_is_refused(refusals: dict[str, Done], original: Path, name: str) -> None:
    assert_refused(refusals[name], *TYPED[name].words)
    assert_nothing_lost(original)


def test_a_file_that_is_not_utf8_adds_nothing(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"one good line\nanother\ncaf\xe9\n")
    assert_refused(hybridmem(original, "add", "--from", str(path)), "line 3, byte 4", "iconv")
    assert_nothing_lost(original)


# ---- what the memory folder is


def test_the_demo_runs_on_the_model_that_was_asked_for(original: Path, tmp_path: Path) -> None:
    place = tmp_path / "story"
    done = hybridmem(original, "demo", "--folder", str(place), "--model", str(tmp_path / "none"))
    assert done.code == 2
    assert "there is no model folder" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_is_no_memory_folder(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert_refused(hybridmem(path, "add", "x"), "is a file", "--memory")
    assert path.read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").touch()
    assert_refused(inside(capfd, "--memory", str(tmp_path), "add", "x"), "holds something else")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_read_only_folder_is_named(folder: Path) -> None:
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = hybridmem(folder, "add", "x", first=BOUND)
    finally:
        for path in paths:
            path.chmod(0o755)
    assert_refused(done, "cannot be written to")
    assert_nothing_lost(folder)


def test_a_read_only_folder_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    exported = tmp_path / "other" / "memory.jsonl"
    reads = [["list"], ["search", "Ana"], ["stats"], ["secrets"], ["ask", "Where does Ana live?"], ["adapters", "list"]]
    reads += [["profile"], ["profile"], ["block", "list"], ["question", "list"], ["reflect", "Where does Ana live?"]]
    writes = [["add", "x"], ["dream"], ["import", str(exported)], ["update", "ID", "x"], ["delete", "ID"]]
    writes += [["block", "set", "persona", "x"], ["question", "add", "Where does Ana live?"]]
    with HybridMemory.open(folder, embedder="hashing") as memory:
        memory.reindex()
        writes = [[memory.list()[0].id if word == "ID" else word for word in command] for command in writes]
    program = f"""{BOUND}
import io, contextlib, json
from hybridmem.cli.app import run
made = []
for command in {[*reads, ["export", str(exported)], *writes]!r}:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["--memory", {str(folder)!r}, "--embedder", "hashing", "--model", "fake", *command])
    made.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(made))
"""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in paths}
    try:
        done = scripts.run_command([sys.executable, "-c", program], text=True, cwd=ROOT)
    finally:
        unchanged = {path: path.stat().st_mtime_ns for path in paths} == before
        for path in paths:
            path.chmod(0o755)
    made = json.loads(done.stdout)
    read, exporting, written = made[: len(reads)], made[len(reads)], made[len(reads) + 1 :]
    assert [(code, err) for code, _, err in read] == [(0, "")] * len(reads), read
    assert KEPT in read[0][1] and KEPT in read[1][1] and "Lisbon" in read[4][1]
    assert exporting[0] == 0 and KEPT in exported.read_text()
    assert [code for code, _, _ in written] == [2] * len(writes)
    assert all("cannot be written to" in err for _, _, err in written)
    assert unchanged
    assert_nothing_lost(folder)


def test_a_memory_of_a_newer_version_is_left_alone(folder: Path) -> None:
    mark = folder / "memory.json"
    mark.write_text(json.dumps({"format": 99, "hybridmem": "9.9.0"}))
    assert_refused(hybridmem(folder, "add", "x"), "hybridmem 9.9.0", "format 99", "pip install --upgrade")
    mark.write_text(json.dumps({"format": 1}))
    assert_nothing_lost(folder)


def test_a_ledger_of_a_newer_version_is_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, 'later')")
    connection.close()
    assert_refused(hybridmem(folder, "add", "x"), "9999", "pip install --upgrade")
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        connection.execute("DELETE FROM migrations WHERE number = 9999")
    connection.close()
    assert_nothing_lost(folder)


def test_a_damaged_ledger_is_named(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "ledger.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 100)
    for left in folder.glob("ledger.sqlite3-*"):
        left.unlink()
    assert_refused(inside(capfd, "--memory", str(folder), "list"), "the ledger cannot be read", "backup")


def test_a_full_disk_loses_nothing(folder: Path) -> None:
    """The limit on file sizes stands in for the disk: it binds every user, and fails writes in the same place."""
    limit = (folder / "ledger.sqlite3").stat().st_size
    bounded = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    done = hybridmem(folder, "add", "-", stdin=b"a" * 500_000, first=bounded)
    assert_refused(done, "nothing was stored", "free space")
    assert_nothing_lost(folder)
    assert hybridmem(folder, "add", "there is room again").code == 0
    assert_nothing_lost(folder, "there is room again")


# ---- models and adapters


def test_vectors_of_another_embedding_model_are_refused(folder: Path) -> None:
    done = hybridmem(folder, "search", "Ana")
    assert_refused(done, "hashing-64", "(64 dimensions)", "all-MiniLM-L6-v2", "(384)", "hybridmem reindex")
    assert_nothing_lost(folder)


def test_a_corrupt_adapter_never_answers(folder: Path, models: None, capfd: pytest.CaptureFixture[str]) -> None:
    (weights,) = (folder / "adapters").rglob("answers.json")
    weights.write_text('{"Where does Ana live?": "Mars"}')
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert_refused(hybridmem(folder, "adapters", "promote", "v0001"), "v0001", found, "hybridmem adapters rollback")
    asked = ("--memory", str(folder), "ask", "Where does Ana live?", "--route", "weights")
    assert_refused(inside(capfd, *asked), "v0001", found, "hybridmem adapters rollback")
    weights.unlink()
    assert_refused(inside(capfd, *asked), "v0001", "lacks its file answers.json")
    assert_nothing_lost(folder)


def test_an_adapter_of_another_base_names_both_hashes(
    folder: Path, models: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeModel, "sha256", OTHER_BASE)
    asked = ("--memory", str(folder), "ask", "Where does Ana live?", "--route", "weights")
    assert_refused(inside(capfd, *asked), OTHER_BASE, FAKE_BASE, "dream again")
    assert_nothing_lost(folder)


def test_a_model_without_weights_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hybridmem.embedding.load", lambda name="": HashingEmbedder(64))
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}')
    asked = ("--memory", str(folder), "ask", "Where does Ana live?")
    assert_refused(inside(capfd, *asked, "--model", str(model)), str(model), "weights")
    assert_refused(inside(capfd, *asked, "--model", str(tmp_path / "none")), str(tmp_path / "none"))
    assert_nothing_lost(folder)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedder of the memory, and the base of its adapter."""
    monkeypatch.setattr("hybridmem.embedding.load", lambda name="": HashingEmbedder(64))
    monkeypatch.setattr("hybridmem.models.load", lambda name=None: FakeModel())


def inside(capfd: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """The command line in this process, for what would have to load a model."""
    capfd.readouterr()
    code = run(list(arguments))
    return Done(code, *capfd.readouterr())
