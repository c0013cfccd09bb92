"""What is asked of a coding agent: where its files lie, what its events are, and which answer its hooks take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hybridmem.coding_agents.hook_event import HookEvent
from hybridmem.coding_agents.place import Place
from hybridmem.core.errors import InvalidInput

SERVER = "hybridmem"
"""What the MCP server is called in the agents' files."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What is written into an agent's files, each as the words of a command line."""

    hook: tuple[str, ...]
    mcp: tuple[str, ...] | None
    """None leaves the MCP entry out."""


@dataclass(frozen=True, slots=True)
class AgentFile:
    """One file of an agent, and how hybridmem's entries are put into its text and taken out of it."""

    path: Path
    put: Callable[[str, Commands], str]
    """Raises `InvalidInput` for a text that is not in the file's format."""
    strip: Callable[[str], str]
    """The text without hybridmem's entries. Raises `InvalidInput`."""
    bare: tuple[str, ...] = ("", "{}")
    """What is left, but for white space, of a file that holds nothing else."""

    def edited(self, text: str, commands: Commands | None) -> str:
        """`text` with hybridmem's entries, or with None without them. Raises `InvalidInput`, which names the file."""
        try:
            return self.strip(text) if commands is None else self.put(text, commands)
        except InvalidInput as error:
            raise InvalidInput(f"{self.path}: {error}; mend it or move it away, it was left alone") from None


class Agent(Protocol):
    """One coding agent."""

    @property
    def name(self) -> str:
        """As on the command line."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def followed(self) -> str:
        """The documentation and version that its file here follows."""
        ...

    @property
    def source(self) -> str:
        """The source of the episodes, as its importer calls it."""
        ...

    @property
    def format(self) -> str | None:
        """The importer of its sessions' logs; None where there is none, and the events are what is remembered."""
        ...

    @property
    def note(self) -> str:
        """What the user has to do after an installation; "" for nothing."""
        ...

    @property
    def workspace(self) -> str:
        """What stands for the project's folder in the words of an MCP server, which most agents start in it."""
        ...

    def is_here(self, place: Place) -> bool:
        """Whether the agent is on this machine: its folder, or its program."""
        ...

    def files(self, place: Place) -> Sequence[AgentFile]:
        """The files that an installation writes."""
        ...

    def event(self, given: Mapping[str, Any]) -> HookEvent:
        """What the object on the hook's standard input tells. Raises `InvalidInput`."""
        ...

    def answer(self, event: HookEvent, context: str) -> dict[str, Any]:
        """What the hook prints, so that the agent's model reads `context`."""
        ...
