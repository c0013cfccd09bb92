"""What an installation changed, kept so that it can be undone to the byte.

One file for each agent and scope in the user's folder for such state. It holds what was put in and where, and nothing
of anyone else's. Lost, an installation is still undone, by what hybridmem's entries look like.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hybridmem.coding_agents import state_folder
from hybridmem.coding_agents.file_change import FileChange, Splice, digest, taken_back
from hybridmem.coding_agents.place import Place
from hybridmem.core.disk import write_whole


@dataclass(frozen=True, slots=True)
class FileReceipt:
    """What was done to one file."""

    sha256: str
    """Of the file after it."""
    created: bool
    """Whether hybridmem made the file."""
    splices: tuple[Splice, ...] | None = None
    """What turns it back; None where there was no file."""
    folders: tuple[str, ...] = ()
    """The folders that were made for it, innermost first."""

    @classmethod
    def of(cls, path: Path, origin: str | None, after: str, created: bool, folders: tuple[str, ...]) -> FileReceipt:
        """For a file that is `after` now, and whose text was `origin` without hybridmem."""
        splices = tuple(FileChange(path, origin, after).splices()) if origin is not None else None
        return cls(digest(after), created, splices, folders)

    def is_of(self, text: str) -> bool:
        """Whether `text` is what was left behind, and nobody changed it since."""
        return digest(text) == self.sha256

    def undone(self, text: str) -> str | None:
        """What the file was before, given the `text` that was left behind; None for a file that was not there."""
        return None if self.splices is None else taken_back(text, self.splices)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done for one agent at one scope, by the file's path."""

    files: Mapping[str, FileReceipt] = field(default_factory=dict)


def location(agent: str, place: Place) -> Path:
    """Where the receipt of this agent and place lies."""
    where = "user" if place.scope == "user" else hashlib.sha256(str(place.project.resolve()).encode()).hexdigest()[:16]
    return state_folder.root(place.home, place.environ) / "installed" / f"{agent}-{where}.json"


def load(path: Path) -> Receipt:
    """The receipt in the file; an empty one where it is not there, or cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return Receipt({name: _file(each) for name, each in found["files"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Receipt()


def save(path: Path, receipt: Receipt) -> None:
    """Write the receipt, readable by its owner alone. An empty one is removed, and with the last of them what else
    hybridmem keeps in its folder of the user's state."""
    if receipt.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        write_whole(path, json.dumps({"files": {name: asdict(each) for name, each in receipt.files.items()}}, indent=1))
        path.chmod(0o600)
        return
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()
        state_folder.remove(path.parent.parent)


def _file(found: Mapping[str, Any]) -> FileReceipt:
    given = found["splices"]
    splices = None if given is None else tuple(Splice(each["at"], each["length"], each["before"]) for each in given)
    return FileReceipt(found["sha256"], found["created"], splices, tuple(found["folders"]))
