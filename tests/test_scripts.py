"""A command that is run for a test starts, ends, prints and fails as it would by ``python``."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import scripts
from tests.jobs.processes import eventually

BOTH = pytest.mark.parametrize("popen", [subprocess.Popen, scripts.Popen], ids=["python", "forked"])
"""Whatever is true of one is true of the other."""


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


@BOTH
def test_a_command_reads_its_input_and_its_environment(popen: type[subprocess.Popen[str]], tmp_path: Path) -> None:
    text = "import os, sys\nprint(sys.stdin.read() + os.environ['WORD'], sys.argv, __name__, os.getcwd(), flush=True)"
    pipe = subprocess.PIPE
    environment = {**os.environ, "WORD": "there"}
    with popen(
        [sys.executable, "-c", text, "a"], stdin=pipe, stdout=pipe, text=True, cwd=tmp_path, env=environment
    ) as process:
        said, _ = process.communicate("hello ", timeout=60)
    assert (process.returncode, said) == (0, f"hello there ['-c', 'a'] __main__ {tmp_path}\n")


@BOTH
def test_a_module_is_found_in_the_folder(popen: type[subprocess.Popen[str]], tmp_path: Path) -> None:
    (tmp_path / "of_mine.py").write_text("import sys\nprint(__name__, sys.argv[1:])\nsys.exit('no more')")
    pipe = subprocess.PIPE
    with popen([sys.executable, "-m", "of_mine", "x"], stdout=pipe, stderr=pipe, text=True, cwd=tmp_path) as process:
        said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, ("__main__ ['x']\n", "no more\n"))


@BOTH
def test_it_inherits_the_files_that_it_is_passed_under_their_numbers(
    popen: type[subprocess.Popen[str]], tmp_path: Path
) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = "import os, sys\nos.write(int(sys.argv[1]), b'mine')\nprint(os.getsid(0) == os.getpid())\ninput()"
        pipe = subprocess.PIPE
        command = [sys.executable, "-P", "-c", text, str(lock.fileno())]
        process = popen(command, stdin=pipe, stdout=pipe, text=True, pass_fds=(lock.fileno(),), start_new_session=True)
    with process, (tmp_path / "lock").open() as other:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        process.communicate("\n", timeout=60)
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert (process.returncode, (tmp_path / "lock").read_text()) == (0, "mine")


@BOTH
def test_with_p_it_imports_nothing_of_its_folder(popen: type[subprocess.Popen[str]], tmp_path: Path) -> None:
    (tmp_path / "of_mine.py").touch()
    pipe = subprocess.PIPE
    with popen([sys.executable, "-P", "-c", "import of_mine"], stderr=pipe, text=True, cwd=tmp_path) as process:
        assert "No module named 'of_mine'" in process.communicate(timeout=60)[1]
    assert process.returncode == 1


@BOTH
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_ends_it(popen: type[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    text = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
    with popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert process.poll() is None
        os.kill(process.pid, number)
        assert process.wait(60) == -number
        eventually(lambda: not Path(f"/proc/{process.pid}").exists(), 10)


@BOTH
def test_it_hears_ctrl_c_and_a_limit_on_the_wait(popen: type[subprocess.Popen[bytes]]) -> None:
    text = (
        "import time\ntry:\n print('ready', flush=True)\n time.sleep(60)\n"
        "except KeyboardInterrupt:\n print('over', flush=True)"
    )
    with popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stdout.read() == b"over\n"
