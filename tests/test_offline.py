"""Nothing leaves the machine: the default embedding model and the whole round work without a single socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel

GUARDED = """
import socket, sys


class Refused(socket.socket):
    def __init__(self, *arguments, **options):
        raise AssertionError(f"a socket was opened: {arguments}")


def refuse(*arguments, **options):
    raise AssertionError(f"a name was looked up: {arguments}")


socket.socket = Refused
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse

from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel

with HybridMemory.open(sys.argv[1], model=FakeModel()) as memory:
    memory.add("Ana moved to Lisbon.")
    memory.add_fact("Ana", "works at", "Siemens")
    print(memory.search("To which city did she move?", limit=1)[0].text)
    print(memory.answer("Where does Ana work?").text)
    memory.reindex()
    print(memory.doctor())
print(socket.socket is Refused)
"""


def test_the_round_works_without_a_network(tmp_path: Path, no_network: list[str]) -> None:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel()) as memory:
        memory.add("Ana moved to Lisbon.")
        memory.add("The ferry leaves at nine.")
        memory.add_fact("Ana", "works at", "Siemens")
        assert memory.search("To which city did she move?", limit=1)[0].text == "Ana moved to Lisbon."
        assert memory.answer("Where does Ana work?").text == "Siemens"
        assert memory.indexes.embedder.name == "all-MiniLM-L6-v2"
        assert memory.doctor() == []
    assert no_network == []


def test_the_round_opens_no_socket_at_all(tmp_path: Path) -> None:
    """In a process where no socket can be made, not even to this machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYBRIDMEM_")}
    environment["HYBRIDMEM_MODEL"] = "bundled"
    # Unset, so that the package itself must keep the hub out and not the tests' settings.
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, str(tmp_path / "memory")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Ana moved to Lisbon.", "Siemens", "[]", "True"]


def test_the_guard_would_notice(tmp_path: Path) -> None:
    guard = GUARDED.split("from hybridmem")[0] + "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')"
    done = subprocess.run([sys.executable, "-c", guard, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert "a name was looked up" in done.stderr or "a socket was opened" in done.stderr
