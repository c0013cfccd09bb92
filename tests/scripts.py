"""Python commands, and a user's scripts, in processes that are forked from one that has imported the large libraries.

Importing torch, transformers and Chroma takes six seconds of each process and says nothing about this package, none of
whose modules is imported before the fork. Tests of a start's own cost or imports use `subprocess` itself."""

from __future__ import annotations

import atexit
import fcntl
import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import process, reduction
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType
from typing import Any

LIBRARIES = (
    "chromadb",
    "fastapi",
    "numpy",
    "sqlalchemy",
    "torch",
    "transformers.models.lfm2.modeling_lfm2",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "peft",
    "uvicorn",
)
SECONDS = 300.0
"""What a script may take."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a script ended, and what it printed."""

    returncode: int | None
    stdout: str
    stderr: str


def context() -> ForkServerContext:
    """Starts processes as ``spawn`` does, with `LIBRARIES` imported and nothing else."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(LIBRARIES))
    return found


def run(script: Path | str, folder: Path, *arguments: str) -> Finished:
    """Run a script, a file or its text, in `folder`. One that takes longer than `SECONDS` is killed: its code is
    negative."""
    with tempfile.TemporaryDirectory() as aside:
        file = Path(aside) / "script.py"
        if isinstance(script, Path):
            file = script
        else:
            file.write_text(script, encoding="utf-8")
        command = [sys.executable, str(file), *arguments]
        with Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as running:
            try:
                printed = running.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()
                printed = running.communicate()
            return Finished(running.returncode, *printed)


def run_command(command: Sequence[str], input: bytes = b"", **options: Any) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` of a command that begins with `sys.executable`, with its output captured."""
    given = None if options.get("text") else input
    pipe = subprocess.PIPE
    with Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, **options) as running:
        printed = running.communicate(given, timeout=SECONDS)
        return subprocess.CompletedProcess(command, running.returncode, *printed)


_starting = threading.Lock()


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen` of a command that begins with `sys.executable`: then ``-m MODULE``, ``-c TEXT`` or a file,
    before which ``-P`` may stand.

    A process of its own in all that a test can see: pipes, files that it inherits, signals, exit codes. It is a child
    of the server that it was forked from, which waits for it."""

    _process: Any = None

    def _execute_child(self, args: Any, *given: Any) -> None:
        # As `subprocess` calls it: (..., executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo,
        # creationflags, shell, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids,
        # uid, umask, start_new_session, ...)
        _, preexec, _, passed, folder, environment, _, _, shell, *pipes = given[:15]
        new_session = given[20]
        command = [os.fsdecode(argument) for argument in args]
        assert command[0] == sys.executable and not (preexec or shell), "not what this class can start"
        ours = [own if theirs == -1 else theirs for own, theirs in enumerate((pipes[0], pipes[3], pipes[5]))]
        files = {number: _File(own) for number, own in [*enumerate(ours), *zip(passed, passed, strict=True)]}
        environment = dict(os.environ if environment is None else environment)
        place = os.fspath(folder or Path.cwd())
        with _starting:
            self._process = context().Process(target=_run, args=(command[1:], place, environment, files, new_session))
            self._process.start()
            # Else whichever process starts next would ask after this one, in another thread than the one that waits.
            process._children.discard(self._process)  # type: ignore[attr-defined]
        self.pid = self._process.pid
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        return self._ended(0)

    def _wait(self, timeout: float | None) -> int:
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._process.join(timeout)
            self.returncode = self._process.exitcode
        return self.returncode


class _File:
    """An open file, which has a number of the child's own there."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        return _received, (reduction.DupFd(self.number),)


def _received(sent: Any) -> int:
    number: int = sent.detach()
    return number


def _run(
    command: Sequence[str], folder: str, environment: dict[str, str], files: Mapping[int, int], new_session: bool
) -> None:
    """What ``python COMMAND`` does, up to its exit."""
    gc.freeze()  # else a collection looks through the libraries, and copies the pages that they share with the server
    if new_session:
        os.setsid()
    _give(files)
    for name, number, mode, buffering in (("stdin", 0, "r", -1), ("stdout", 1, "w", -1), ("stderr", 2, "w", 1)):
        was = getattr(sys, f"__{name}__")
        stream = open(number, mode, buffering, was.encoding, was.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "hybridmem")
    assert not loaded, f"imported before the command ran: {loaded}"
    try:
        _start(command)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()


def _give(files: Mapping[int, int]) -> None:
    """Let each open file have the number that it is asked for, and no other."""
    # Out of the way first: the number that one has may be what another is to get.
    free = max(*files, *files.values()) + 1
    aside = {number: fcntl.fcntl(file, fcntl.F_DUPFD, free) for number, file in files.items()}
    for file in files.values():
        os.close(file)
    for number, file in aside.items():
        os.dup2(file, number)
        os.close(file)


def _start(command: Sequence[str]) -> None:
    safe_path = command[0] == "-P"
    if safe_path:
        command = command[1:]
    kind = command[0]
    if kind == "-m":
        sys.argv = list(command[1:])
        if not safe_path:
            sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *command[2:]]
        if not safe_path:
            sys.path.insert(0, "")
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(command[1], "<string>", "exec"), main.__dict__)  # the text is a test's
    else:
        sys.argv = list(command)
        if not safe_path:
            sys.path.insert(0, str(Path(kind).parent.absolute()))
        runpy.run_path(kind, run_name="__main__")
