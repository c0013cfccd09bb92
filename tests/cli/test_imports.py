"""``hybridmem add --from`` as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybridmem.cli.app import run
from tests.cli.conftest import Command, Result
from tests.importers.exports import EXPORTS, claude_code_line, lines, write


@pytest.fixture
def hybridmem(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line over a real memory."""
    monkeypatch.setenv("HYBRIDMEM_DIR", str(tmp_path / "memory"))
    monkeypatch.setenv("HYBRIDMEM_EMBEDDER", "hashing")

    def command(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(list(arguments))
        return Result(code, *capsys.readouterr())

    return command


def test_the_report_says_what_was_added_what_was_there_and_what_was_left_out(
    hybridmem: Command, tmp_path: Path
) -> None:
    path = write(tmp_path, "chat.txt", "14/11/2023, 22:13 - Ivo: hi\n14/11/2023, 22:14 - Ana: <Media omitted>\n")
    shown = hybridmem("add", "--from", str(path))
    assert shown.code == 0 and "added 1 memory from" in shown.out and "left out: 1 media" in shown.out
    assert "--me NAME" in shown.out
    again = hybridmem("add", "--from", str(path), "--json").json
    assert (again["added"], again["already"], again["left_out"]) == ([], 1, {"media and notices": 1})
    assert hybridmem("add", "--from", str(path), "--me", "Ivo", "--json").json["updated"]


def test_a_folder_and_a_broken_file_in_it(hybridmem: Command, tmp_path: Path) -> None:
    EXPORTS["chatgpt"](tmp_path / "export", ["I adopted a ferret."])
    write(tmp_path, "export/cut.json", '[{"mapping": ')
    shown = hybridmem("add", "--from", str(tmp_path / "export"))
    assert shown.code == 0 and "cut.json" in shown.out and "1 broken line left out" in shown.out


def test_a_date_that_can_be_read_two_ways_is_asked_about(hybridmem: Command, tmp_path: Path) -> None:
    path = write(tmp_path, "chat.txt", "03/04/2026, 09:00 - Ivo: hello\n")
    refused = hybridmem("add", "--from", str(path))
    assert refused.code == 2 and "--day-first or --month-first" in refused.err
    assert hybridmem("add", "--from", str(path), "--month-first").code == 0
    assert hybridmem("list", "--json").json["memories"][0]["at"].startswith("2026-03-04")


@pytest.mark.parametrize("content", ["<html><p>Hi", "id,date,user\n1,2026-03-01,x\n"])
def test_what_is_not_read_is_one_line_and_json(hybridmem: Command, tmp_path: Path, content: str) -> None:
    path = write(tmp_path, "odd.txt", content)
    refused = hybridmem("add", "--from", str(path), "--json")
    assert refused.code == 2 and json.loads(refused.out)["type"] == "UnknownFormat"
    assert refused.err.count("\n") == 1


def test_watch_takes_a_path(hybridmem: Command) -> None:
    assert "name it with --from" in hybridmem("add", "text", "--watch").err


def test_watching_ends_cleanly_and_a_restart_doubles_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "sessions/s1.jsonl", lines(claude_code_line("user", "one", 1)))
    command = [sys.executable, "-m", "hybridmem.cli", "--memory", str(tmp_path / "memory"), "--embedder", "hashing"]
    command += ["add", "--from", str(path.parent), "--watch", "--json"]
    # Unbuffered, Python would hide a report that is not passed on when it is there.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for number in (2, 3):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=buffered
        ) as watching:
            assert watching.stdout is not None and watching.stderr is not None
            if number == 2:
                assert len(json.loads(watching.stdout.readline())["added"]) == 1
            with path.open("a") as stream:
                stream.write(lines(claude_code_line("user", "more", number)))
            report = json.loads(watching.stdout.readline())
            assert len(report["added"]) == 1 and not report["broken"]
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 0 and "Traceback" not in watching.stderr.read()
