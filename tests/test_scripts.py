"""A script that is run for a test ends, prints and fails as it would by ``python SCRIPT``."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests import scripts


def test_arguments_folder_and_output(tmp_path: Path) -> None:
    text = "import atexit, os, sys\natexit.register(print, 'left')\nprint(__name__, sys.argv[1:], os.getcwd())"
    ended = scripts.run(text, tmp_path, "a b", "c")
    assert ended == scripts.Finished(0, f"__main__ ['a b', 'c'] {tmp_path}\nleft\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_run_with_its_own_folder_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("VALUE = 7")
    (tmp_path / "main.py").write_text("import beside\nprint(beside.VALUE)")
    (elsewhere := tmp_path / "elsewhere").mkdir()
    assert scripts.run(tmp_path / "main.py", elsewhere).stdout == "7\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [("1 / 0", 1, "ZeroDivisionError"), ("import sys; sys.exit(3)", 3, ""), ("import no_such", 1, "no_such")],
)
def test_a_failure_is_seen(tmp_path: Path, text: str, code: int, said: str) -> None:
    ended = scripts.run(text, tmp_path)
    assert ended.returncode == code
    assert said in ended.stderr


def test_one_that_never_ends_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "SECONDS", 0.5)
    assert scripts.run("import time\nwhile True: time.sleep(1)", tmp_path).returncode == -signal.SIGKILL


def test_nothing_of_ours_is_imported_before(tmp_path: Path) -> None:
    text = "import sys\nprint([name for name in sys.modules if name.startswith('hybridmem')], 'torch' in sys.modules)"
    assert scripts.run(text, tmp_path).stdout == "[] True\n"
