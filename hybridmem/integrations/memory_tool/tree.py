"""The files of the virtual tree in the ledger: one episode per file.

The episode's first line names the file, and the rest is its content. Every change, a rename too, is therefore one
transaction with a history, and a search finds the file by its name and by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput, StoreBusy
from hybridmem.core.records import Episode
from hybridmem.integrations.memory_tool.paths import ROOT
from hybridmem.maintenance.erasure import erase_many

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

SESSION = "memory tool"
"""The session of every file: it finds them without reading the namespace's other memories."""
BUSY_SECONDS = 30.0
_HEADER = re.compile(rf"File ({re.escape(ROOT)}/[^\n]+)\.\n")


class Tree:
    """The files of one namespace. A directory exists as long as it has a file."""

    def __init__(self, memory: HybridMemory) -> None:
        self._memory = memory

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the files against changes by other threads and processes. Raises `StoreBusy`."""
        from filelock import FileLock, Timeout

        locks = self._memory.folder.locks
        locks.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(locks / "memory-tool.lock", timeout=BUSY_SECONDS):
                yield
        except Timeout:
            raise StoreBusy("another process changes the memory's files: try again when it has finished") from None

    def files(self) -> dict[str, Episode]:
        """Every file by its path, sorted by the parts of the path."""
        found = {
            _path(episode): episode for episode in self._memory.ledger.episodes(self._memory.namespace, session=SESSION)
        }
        return dict(sorted(found.items(), key=lambda item: item[0].split("/")))

    def create(self, path: str, content: str) -> None:
        self._memory.add(
            _text(path, content),
            session=SESSION,
            role="assistant",
            trust="agent",
            source="memory_tool",
        )

    def write(self, file: Episode, path: str, content: str) -> None:
        """Give a file a new path or content; the earlier ones stay in its history."""
        self._memory.update(file.id, _text(path, content))

    def erase(self, files: Iterable[Episode]) -> None:
        """Erase `files` in one transaction: whoever looks sees all of them, or none."""
        erase_many(self._memory.workspace, [file.id for file in files])


def stored(file: Episode) -> str:
    """The file's content."""
    header = _HEADER.match(file.text)
    return file.text[header.end() :] if header else file.text


def readable(path: str, file: Episode) -> str:
    """The file's content for an agent. Raises `InvalidInput` for a file in quarantine, which no answer uses either."""
    if file.quarantined:
        raise InvalidInput(f"Error: The file {path} is in quarantine: whoever runs this memory can release {file.id}")
    return stored(file)


def _path(file: Episode) -> str:
    """The path in the first line. A text that was changed and lost that line stays reachable under its id."""
    header = _HEADER.match(file.text)
    return header[1] if header else f"{ROOT}/{file.id}.txt"


def _text(path: str, content: str) -> str:
    return f"File {path}.\n{content}"
