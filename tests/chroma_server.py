"""A Chroma server of this environment's chromadb package, on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

START_SECONDS = 120


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """The URL of a server that keeps its data in `folder`, within the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "from chromadb.cli.cli import app; app()"
    command = [sys.executable, "-c", program, "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder)]
    log = folder.with_suffix(".log")
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            end = monotonic() + START_SECONDS
            while not _answers(url):
                assert process.poll() is None and monotonic() < end, log.read_text(errors="replace")
                sleep(0.1)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=1).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
