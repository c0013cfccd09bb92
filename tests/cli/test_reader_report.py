"""The commands that a user types, with a reader at an endpoint: they print what a night takes, and one line where it
fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem.cli.app import run
from tests.reader_server import ReaderServer, reader_server

KEY = "sk-test-0123456789"
Hybridmem = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[ReaderServer]:
    with reader_server() as running:
        yield running


@pytest.fixture
def hybridmem(
    server: ReaderServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hybridmem:
    server.set()
    monkeypatch.setenv("HYBRIDMEM_DIR", str(tmp_path / "memory"))
    monkeypatch.setenv("HYBRIDMEM_MODEL", "fake")
    monkeypatch.setenv("HYBRIDMEM_EMBEDDER", "hashing")
    monkeypatch.setenv("HYBRIDMEM_VECTORS", "memory")
    monkeypatch.setenv("HYBRIDMEM_READER", f"{server.name},price_in=0.25,price_out=2,retries=0")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return code, *capsys.readouterr()

    return call


def test_a_night_is_estimated_dreamt_and_shown_with_its_cost(hybridmem: Hybridmem, server: ReaderServer) -> None:
    hybridmem("add", "Ana lives in Lisbon.")
    code, out, _ = hybridmem("dream", "--dry-run")
    assert code == 0 and "reader's cost" in out and "estimated, at four characters a token" in out
    assert server.asked == []
    code, out, _ = hybridmem("dream", "--json")
    report: dict[str, Any] = json.loads(out)
    assert code == 0 and report["status"] == "promoted"
    took = report["reader"]
    assert took["calls"] == len(server.asked) == sum(s["reader"]["calls"] for s in report["steps"] if s["reader"])
    assert took["cost"] == pytest.approx((0.25 * took["prompt_tokens"] + 2 * took["completion_tokens"]) / 1e6)
    _, out, _ = hybridmem("dreams", "1")
    row = next(line for line in out.splitlines() if line.split()[:1] == ["all"])
    assert [str(took["calls"]), str(took["completion_tokens"])] == [row.split()[1], row.split()[3]]
    assert f"{took['cost']:.4f}" in out
    _, out, _ = hybridmem("ask", "Where does Ana live?", "--json")
    assert json.loads(out)["route"] == "weights"


def test_the_key_is_in_no_output_and_in_no_file(hybridmem: Hybridmem, server: ReaderServer, tmp_path: Path) -> None:
    hybridmem("add", "Ana lives in Lisbon.")
    server.set(fail=99, status=401, echoes_key=True)
    code, out, err = hybridmem("dream")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1 and "set OPENAI_API_KEY" in err and KEY not in err
    server.set()
    _, out, err = hybridmem("dream")
    assert KEY not in out + err
    assert server.asked[0]["headers"]["authorization"] == f"Bearer {KEY}"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize("reader", ["openai:tiny,price=3", "openai:tiny@http://127.0.0.1:9/v1,at_once=0"])
def test_a_wrong_option_is_one_line_before_a_folder_is_made(hybridmem: Hybridmem, tmp_path: Path, reader: str) -> None:
    code, out, err = hybridmem("add", "Hi.", "--reader", reader)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert not (tmp_path / "memory").exists()
