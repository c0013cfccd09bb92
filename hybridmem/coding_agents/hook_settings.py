"""How the hooks of one installation are set, as it stands behind ``hybridmem hook AGENT`` in the agent's files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput

By = Literal["user", "project"]
"""Whether a namespace holds all that the user does, or one project's sessions."""
Skills = Literal["learn", "off"]
"""Whether skills are learned from what an agent calls."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """What a hook works on. Each field is an option of ``hybridmem hook``."""

    memory: Path
    """The memory folder; made with the first hook."""
    namespace: str = "default"
    """Whose memory, as in users/ana."""
    by: By = "user"
    """`user`: all sessions share the namespace. `project`: each project has one below it, `projects/NAME`."""
    budget: int = 600
    """Most tokens of memories at a session's start, and again at each prompt."""
    server: str = ""
    """The URL of a `hybridmem serve` on the same memory, which answers prompts' searches by all its indexes; its token
    is in HYBRIDMEM_TOKEN. Without one, or where it does not answer, they go by words alone."""
    redact: str = "train"
    """`store`: secrets are removed before a text is written."""
    skills: Skills = "learn"
    """`learn`: when a session is over, the procedures in its calls become skills. `off`: calls are left alone."""

    def words(self) -> list[str]:
        """The options as the words of a command line; those that are as by default are left out."""
        made = ["--memory", str(self.memory)]
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if each.name != "memory" and value != each.default:
                made += [f"--{each.name}", str(value)]
        return made

    @classmethod
    def of(cls, words: Sequence[str]) -> HookSettings:
        """The settings of a command line. Raises `InvalidInput`."""
        known = {f"--{each.name}": each.name for each in dataclasses.fields(cls)}
        given: dict[str, Any] = {}
        for at in range(0, len(words), 2):
            name, value = words[at], words[at + 1 : at + 2]
            if name not in known or not value:
                raise InvalidInput(f"{name!r} is no option of hybridmem hook, or lacks its value")
            given[known[name]] = value[0]
        if "memory" not in given:
            raise InvalidInput("hybridmem hook needs --memory DIR")
        return cls.made(**given)

    @classmethod
    def made(cls, memory: str | Path, **given: Any) -> HookSettings:
        """The settings from texts. Raises `InvalidInput`."""
        if "budget" in given:
            try:
                given["budget"] = arguments.whole("--budget", int(given["budget"]), least=0, most=10**6)
            except ValueError:
                raise InvalidInput("--budget is no number of at least 0: give the tokens, as 600") from None
        if "by" in given:
            arguments.choice("--by", given["by"], get_args(By))
        if "skills" in given:
            arguments.choice("--skills", given["skills"], get_args(Skills))
        return cls(Path(memory), **given)
