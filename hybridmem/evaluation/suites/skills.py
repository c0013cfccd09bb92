"""What skills and a section of AGENTS.md are worth to an agent that goes by a fixed policy, on twenty scripted tasks.

Before the twenty, the agent does twelve tasks without help, with as many calls as it needs, and its sessions are
learned from. Then it does the twenty in each condition: without memory, with the best skill that the memory has for the
task, with none but a skill for the same task, with the section that `agents-md` writes of what the user said, and with
the best skill and the section. Where it is given skills, each of its sessions is learned from as well. All of it is
repeated for several orders in which the agent tries tools.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from hybridmem.core.progress import Progress, quiet
from hybridmem.evaluation.scripted_tasks.agent import MOST_CALLS, Trial, exploration_order, work
from hybridmem.evaluation.scripted_tasks.tasks import CLASSES, STATED, Task, measured, practised
from hybridmem.evaluation.scripted_tasks.world import TOOLS
from hybridmem.memory import HybridMemory
from hybridmem.skills.recall import LEAST_RELEVANCE

Condition = Literal["without", "skills", "same-task skills", "agents-md", "both"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNHURRIED = 1_000
"""Calls for each task before the twenty: more than any of them takes."""
STEP = timedelta(hours=1)
"""Between one task and the next."""


@dataclass(slots=True)
class _Clock:
    """The world's time, which moves from task to task."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


def run(*, orders: int = 10, seed: int = 0, embedder: str | None = None, progress: Progress = quiet) -> dict[str, Any]:
    """The figures of each condition over `orders` orders of the tools, and of each class of tasks.

    `success` is the proportion of tasks done, `calls` and `tokens` are means a task, and `tokens` counts prompts and
    completions of every call at four characters each. `helped` and `harmed` count the tasks that a condition did and
    the agent without memory did not, and the other way round."""
    tasks = measured()
    trials: dict[Condition, list[list[Trial]]] = {condition: [] for condition in CONDITIONS}
    section_tokens = 0
    for number in range(orders):
        tools = list(TOOLS)
        random.Random(f"{seed}/{number}").shuffle(tools)  # noqa: S311
        order = exploration_order(tools)
        for condition in CONDITIONS:
            lived, section_tokens = _live(tasks, order, condition, embedder)
            trials[condition].append(lived)
        progress("skills", number + 1, orders)
    baseline = [trial for lived in trials["without"] for trial in lived]
    conditions = {
        condition: _figures([trial for lived in trials[condition] for trial in lived], baseline)
        for condition in CONDITIONS
    }
    return {
        "tasks": len(tasks),
        "orders": orders,
        "seed": seed,
        "most_calls": MOST_CALLS,
        "section_tokens": section_tokens,
        "conditions": conditions,
        "classes": {
            name: {condition: _of_class(trials[condition], trials["without"], name) for condition in CONDITIONS}
            for name in CLASSES
        },
        "by_task": [
            {
                "task": task.text,
                "class": task.task_class,
                "success": {
                    condition: _mean([lived[place].succeeded for lived in trials[condition]])
                    for condition in CONDITIONS
                },
            }
            for place, task in enumerate(tasks)
        ],
    }


def _live(
    tasks: Sequence[Task], order: Sequence[str], condition: Condition, embedder: str | None
) -> tuple[list[Trial], int]:
    """(the trials of the `tasks`, in order; the tokens of the section) in a memory of its own."""
    clock = _Clock()
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder,
        HybridMemory.open(
            Path(folder) / "memory",
            namespace=("bench",),
            embedder=embedder,
            ledger="memory",
            vectors="memory",
            lexical="memory",
            graph="memory",
            clock=clock,
        ) as memory,
    ):
        for subject, relation, object in STATED:
            memory.add_fact(subject, relation, object)
        learns = condition in ("skills", "same-task skills", "both")
        for task in practised() if learns else ():
            memory.learn_skills(work(task, order, most_calls=UNHURRIED).messages())
            clock.now += STEP
        section = memory.agents_md(Path(folder) / "AGENTS.md", dry_run=True)
        trials = []
        for task in tasks:
            least = 1.0 if condition == "same-task skills" else LEAST_RELEVANCE
            skills = memory.skills(task.text, limit=1, min_score=least) if learns else []
            trial = work(
                task,
                order,
                skill=skills[0] if skills else None,
                section=section.text if condition in ("agents-md", "both") else "",
            )
            trials.append(trial)
            if learns:
                memory.learn_skills(trial.messages())
            clock.now += STEP
    return trials, section.tokens


def _of_class(lived: Sequence[Sequence[Trial]], baseline: Sequence[Sequence[Trial]], name: str) -> dict[str, Any]:
    own, other = (
        [each for trials in side for each in trials if each.task.task_class == name] for side in (lived, baseline)
    )
    return _figures(own, other)


def _figures(trials: Sequence[Trial], baseline: Sequence[Trial]) -> dict[str, Any]:
    pairs = [(ours.succeeded, theirs.succeeded) for ours, theirs in zip(trials, baseline, strict=True)]
    return {
        "success": _mean([trial.succeeded for trial in trials]),
        "calls": _mean([len(trial.calls) for trial in trials]),
        "tokens": _mean([trial.tokens for trial in trials]),
        "skills_followed": sum(trial.followed_skill for trial in trials),
        "helped": sum(ours and not theirs for ours, theirs in pairs),
        "harmed": sum(theirs and not ours for ours, theirs in pairs),
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3)
