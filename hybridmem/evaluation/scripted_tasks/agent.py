"""The agent: it explores by a fixed order of tools, and goes by what it is given.

Without anything, it tries one tool after the other until one works, from the beginning of its order after each that
did; destructive tools come last. A skill is followed from its first step until a step fails. Tools that a line of
AGENTS.md names are tried before the others, where the line has a word of the task. Its work ends when the task is done
or spoilt, or the calls run out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybridmem.core.skills import Skill
from hybridmem.evaluation.scripted_tasks.tasks import Task
from hybridmem.evaluation.scripted_tasks.world import DESTRUCTIVE, TOOLS, Outcome, Work
from hybridmem.retrieval.relevance import coverage
from hybridmem.retrieval.shortlist import estimated_tokens

MOST_CALLS = 16
"""Calls after which it gives up on one of the twenty. For the tasks before, it has as many as it needs."""


@dataclass(slots=True)
class Trial:
    """One task as it went."""

    task: Task
    followed_skill: bool = False
    succeeded: bool = False
    calls: list[tuple[str, Outcome]] = field(default_factory=list)
    tokens: int = 0
    """Of all prompts and completions: every call is one of each, with the whole work so far in its prompt."""

    def messages(self) -> list[dict[str, Any]]:
        """The work as an agent's session has it: each result with its flag, and at the end what the user says of it."""
        found: list[dict[str, Any]] = [{"role": "user", "content": self.task.text}]
        for number, (tool, outcome) in enumerate(self.calls):
            call = {"type": "tool_use", "id": f"call_{number}", "name": tool, "input": {"name": self.task.object}}
            result = {"type": "tool_result", "tool_use_id": f"call_{number}", "content": "", "is_error": not outcome.ok}
            found.append({"role": "assistant", "content": [call]})
            found.append({"role": "user", "content": [result]})
        found.append({"role": "user", "content": "Thanks, that worked." if self.succeeded else "That did not work."})
        return found


def exploration_order(tools: Sequence[str]) -> tuple[str, ...]:
    """`tools` in the order in which the agent tries them: those that can destroy something at the end."""
    return tuple(sorted(tools, key=lambda tool: tool in DESTRUCTIVE))


def work(
    task: Task, order: Sequence[str], *, skill: Skill | None = None, section: str = "", most_calls: int = MOST_CALLS
) -> Trial:
    """Do `task`, with a skill and a section of AGENTS.md where they are given."""
    trial = Trial(task, followed_skill=skill is not None)
    prompt = "\n".join(part for part in (section, skill.text if skill else "", task.text) if part)
    state = Work(task.recipe)
    plan = [step.tool for step in skill.steps] if skill else []
    hinted = hints(task.text, section)
    tries = _tries(order, hinted)
    failed: set[str] = set()
    while not (state.finished or state.spoilt) and len(trial.calls) < most_calls:
        tool = plan.pop(0) if plan else next((each for each in tries if each not in failed), None)
        if tool is None:
            break
        outcome = state.call(tool)
        written = f"{tool}({task.object})"
        trial.tokens += estimated_tokens(prompt) + estimated_tokens(written)
        prompt += f"\n{written}\n{outcome.text}"
        trial.calls.append((tool, outcome))
        if outcome.ok:
            failed, tries = set(), _tries(order, hinted)
        else:
            failed.add(tool)
            plan.clear()
    trial.succeeded = state.finished
    return trial


def hints(task: str, section: str) -> tuple[str, ...]:
    """The tools that are named in the lines of `section` which have a word of `task`, in order."""
    found: dict[str, None] = {}
    for line in section.splitlines():
        if line.startswith("- ") and coverage(task, line) > 0:
            found |= dict.fromkeys(word for word in re.findall(r"\w+", line) if word in TOOLS)
    return tuple(found)


def _tries(order: Sequence[str], hinted: Sequence[str]) -> Iterator[str]:
    return iter([*hinted, *(tool for tool in order if tool not in hinted)])
