"""Putting hybridmem into a coding agent's files, and taking it out.

Both first say what would change, as one `FileChange` for each file; nothing is written before `apply`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.coding_agents import receipt
from hybridmem.coding_agents.agent import Agent, AgentFile, Commands
from hybridmem.coding_agents.file_change import FileChange, read
from hybridmem.coding_agents.place import Place
from hybridmem.coding_agents.receipt import FileReceipt, Receipt
from hybridmem.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation or its undoing would change."""

    agent: Agent
    place: Place
    changes: tuple[FileChange, ...]
    """Those of files that would not stay as they are."""
    installs: bool


def install(agent: Agent, place: Place, commands: Commands) -> Plan:
    """What puts `commands` into the agent's files; no change where they are there already.

    Raises `InvalidInput` for an agent that is not on this machine, and for a file that is not in its format."""
    if not agent.is_here(place):
        raise InvalidInput(
            f"{agent.title} is not on this machine: neither its folder nor its program was found; install it first"
        )
    changes = []
    for file in agent.files(place):
        before = read(file.path)
        after = file.edited(before or "", commands)
        # a file that says nothing of hybridmem need not be made
        changes.append(FileChange(file.path, before, after if before is not None or after else None))
    return Plan(agent, place, _real(changes), installs=True)


def uninstall(agent: Agent, place: Place) -> Plan:
    """What takes hybridmem out of the agent's files: to the byte where nobody changed them since, else its entries and
    nothing more. Raises `InvalidInput` for a file that is not in its format."""
    known = receipt.load(receipt.location(agent.name, place))
    changes = []
    for file in agent.files(place):
        before = read(file.path)
        if before is not None:
            kept = known.files.get(str(file.path))
            changes.append(FileChange(file.path, before, _without(file, before, kept)))
    return Plan(agent, place, _real(changes), installs=False)


def apply(plan: Plan) -> None:
    """Write the changes of `plan`, each file whole. Raises `InvalidInput` for a file that was changed meanwhile."""
    at = receipt.location(plan.agent.name, plan.place)
    kept = dict(receipt.load(at).files)
    files = {file.path: file for file in plan.agent.files(plan.place)}
    emptied: list[str] = []
    for change in plan.changes:
        name, earlier = str(change.path), kept.get(str(change.path))
        made = tuple(map(str, change.write()))
        if plan.installs and change.after is not None:
            created = change.before is None or (earlier is not None and earlier.created)
            origin = None if change.before is None else _without(files[change.path], change.before, earlier)
            folders = (*made, *(earlier.folders if earlier is not None else ()))
            kept[name] = FileReceipt.of(change.path, origin, change.after, created, folders)
        elif earlier is not None:
            del kept[name]
            emptied += earlier.folders
        receipt.save(at, Receipt(kept))
    if not plan.installs:
        _remove_empty(emptied)
        receipt.save(at, Receipt())


def _without(file: AgentFile, text: str, kept: FileReceipt | None) -> str | None:
    """The file's `text` without hybridmem; None where nothing is left of what hybridmem made."""
    if kept is not None and kept.is_of(text):
        return kept.undone(text)
    stripped = file.edited(text, None)
    made_here = kept.created if kept is not None else stripped == ""
    return None if made_here and stripped != text and "".join(stripped.split()) in file.bare else stripped


def _real(changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
    return tuple(change for change in changes if change.is_one)


def _remove_empty(folders: Sequence[str]) -> None:
    """Remove those of the `folders` that hold nothing, innermost first."""
    for folder in map(Path, folders):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
