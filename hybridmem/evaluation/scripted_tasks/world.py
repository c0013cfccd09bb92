"""A world of tools: a task is done by the right tools in the right order, and nobody says which these are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TOOLS = (
    *("fetch", "build", "check", "sign", "upload", "restart", "migrate", "backup", "restore", "notify"),
    "purge",
)
DESTRUCTIVE = frozenset({"purge"})
"""Tools whose use at a wrong time spoils what they are used on: the task has failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave."""

    ok: bool
    text: str


class Work:
    """One task as it is worked on."""

    def __init__(self, recipe: Sequence[str]) -> None:
        self._recipe = tuple(recipe)
        self._done = 0
        self.spoilt = False

    @property
    def finished(self) -> bool:
        return self._done == len(self._recipe)

    def call(self, tool: str) -> Outcome:
        """Use `tool`. The right one at its time brings the task on; a wrong one does nothing, or spoils it."""
        if self.spoilt or self.finished or tool != self._recipe[self._done]:
            self.spoilt = self.spoilt or (tool in DESTRUCTIVE and not self.finished)
            return Outcome(False, f"{tool} destroyed it" if self.spoilt else f"{tool} cannot be used now")
        self._done += 1
        return Outcome(True, f"{tool} went through" + (", and all is done" if self.finished else ""))
