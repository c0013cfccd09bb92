"""A procedure as it is recalled: a task, the steps that were taken for it, and how often they worked.

>>> SkillStep("deploy", {"service": "{service}", "fast": True}).text
'deploy(service="{service}", fast=true)'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Outcome = Literal["success", "failure", "unknown"]
KnownBy = Literal["the user's word", "test results", "the exit code", "the error flag"]
"""What told the outcome: the user, a test runner's summary, a process's exit code, or the flag that a tool's result
carries."""
Argument = str | int | float | bool | None
"""An argument's shape: a short value as it is, ``{name}`` for what the task names, ``<text>``, ``<list>`` or
``<object>`` for what is too long to be part of a procedure, and ``[password removed]`` or the like for a secret."""


@dataclass(frozen=True, slots=True)
class SkillStep:
    """One call of a tool."""

    tool: str
    arguments: Mapping[str, Argument] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """The call in one line."""
        given = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.arguments.items())
        return f"{self.tool}({', '.join(given)})"


@dataclass(frozen=True, slots=True)
class Skill:
    """A procedure with its record. Its steps are what an agent did and what tools were given: data to judge, never the
    user's word."""

    task: str
    """What was asked, with ``{name}`` where the steps take a value from it."""
    steps: tuple[SkillStep, ...]
    """In order; with the values of the task that they were recalled for, where it is the same task."""
    successes: int
    failures: int
    unknown: int
    """Runs that nothing explicit judged: they count as neither."""
    known_by: Mapping[KnownBy, int] = field(hash=False)
    """How many of the judged runs each kind of evidence judged."""
    recommended: bool
    """Whether it has worked, and not every one of its last runs failed."""
    last_used: datetime
    same_task: bool
    """Whether the task that it is recalled for is this task, and not only alike; true where none was asked for."""
    relevance: float
    """How probable it is that the skill's task bears on the one asked for, from 0 to 1, as `Hit.relevance` measures it;
    1 for the same task."""
    facts: tuple[str, ...]
    """Ids of the memories that it is kept in, one for each way in which it ended."""
    episodes: tuple[str, ...]
    """Ids of the requests that it was seen for, oldest first. Erased with the last of them."""

    @property
    def text(self) -> str:
        """The skill in one line, with its record, as a prompt quotes it."""
        steps = "; ".join(f"{number}. {step.text}" for number, step in enumerate(self.steps, 1))
        record = f"worked {self.successes}, failed {self.failures}, unknown {self.unknown}"
        return f"{self.task}: {steps} ({record})"
