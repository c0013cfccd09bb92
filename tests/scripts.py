"""Processes, and a user's scripts in them, that are forked from one that has imported the large libraries already.

Importing torch, transformers and Chroma takes six seconds of each process and says nothing about this package, none of
whose modules is imported before the fork."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

LIBRARIES = (
    "chromadb",
    "numpy",
    "sqlalchemy",
    "torch",
    "transformers.models.lfm2.modeling_lfm2",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "peft",
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
        printed = [Path(aside) / name for name in ("stdout", "stderr")]
        process = context().Process(target=_run, args=(file, folder, arguments, dict(os.environ), *printed))
        process.start()
        process.join(SECONDS)
        process.kill()
        process.join()
        return Finished(process.exitcode, *(path.read_text(encoding="utf-8") for path in printed))


def _run(
    script: Path, folder: Path, arguments: Sequence[str], environment: dict[str, str], stdout: Path, stderr: Path
) -> None:
    for number, path in ((1, stdout), (2, stderr)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "hybridmem")
    assert not loaded, f"imported before the script ran: {loaded}"
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        atexit._run_exitfuncs()
