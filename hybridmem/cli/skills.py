"""Commands on skills: procedures that an agent went through, with how often they worked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.skills import Skill
from hybridmem.core.text.plural import counted

app = typer.Typer()
group = typer.Typer(help="Procedures that an agent went through, with how often they worked: learn, find, list.")
app.add_typer(group, name="skill", rich_help_panel="Know")
Failed = Annotated[
    bool, typer.Option("--failed", help="Also those that never worked, and those whose last runs all failed.")
]
Limit = Annotated[int, typer.Option(min=1, help="Most skills to show.")]


@command(group)
def learn(
    call: Invocation,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="A log of Claude Code, Codex or Gemini CLI, or messages as JSON."),
    ] = None,
    format: Annotated[
        str, typer.Option(metavar="NAME", help="The file's format, as `add --format` takes it.")
    ] = "auto",
) -> None:
    """Import a file of an agent's sessions, and take the procedures in its calls of tools.

    A run worked or failed where an error flag, an exit code, a test summary or the user says so. Asks no model.
    Without FILE: from the sessions of installed agents that are over, each into its own namespace. The hooks of
    `install` run that by themselves."""
    if file is None:
        _learn_from_sessions(call)
        return
    with call.open(create=True) as memory:
        learned = memory.learn_skills_from(file, format=format)
    left = [f"{learned.already:,} known before"] if learned.already else []
    if learned.without_source:
        left.append(f"{learned.without_source:,} left out, as their request is no memory here")
    told = f"{counted(learned.runs, 'run')} taken into {counted(len(learned.facts), 'memory', 'memories')}"
    call.answer(learned, output.plain("; ".join([told, *left])))


def _learn_from_sessions(call: Invocation) -> None:
    from hybridmem.coding_agents.learning import learn_from_sessions

    with call.open() as memory:
        learned = learn_from_sessions(memory)
    for reason in learned.broken:
        print(f"a session could not be read: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    told = f"{counted(learned.runs, 'run')} taken into {counted(len(learned.facts), 'memory', 'memories')}"
    call.answer(learned, output.plain(f"{counted(learned.sessions, 'session')} read: {told}"))


@command(group)
def find(
    call: Invocation,
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done, in plain words.")],
    limit: Limit = 5,
    min_score: Annotated[
        float, typer.Option("--min-score", min=0.0, max=1.0, help="The least relevance of a skill for another task.")
    ] = 0.5,
    failed: Failed = False,
) -> None:
    """Show the skills for a task, best first: the same task before tasks that are alike."""
    with call.open() as memory:
        found = memory.skills(task, limit=limit, min_score=min_score, failed=failed)
    _show(call, found, "no skill bears on that task")


@command(group, "list")
def list_skills(call: Invocation, limit: Limit = 50, failed: Failed = False) -> None:
    """Show the skills, the last used first."""
    with call.open() as memory:
        found = memory.skills(limit=limit, failed=failed)
    _show(
        call, found, "no skills yet: `hybridmem install` has an agent's sessions read, `skill learn FILE` one of them"
    )


def _show(call: Invocation, found: Sequence[Skill], nothing: str) -> None:
    rows = [
        (
            each.task,
            "\n".join(step.text for step in each.steps),
            each.successes,
            each.failures,
            each.unknown,
            each.last_used,
            each.facts,
        )
        for each in found
    ]
    columns = ["task", "steps", "#worked", "#failed", "#unknown", "last used", "ids"]
    shown: RenderableType = output.table(columns, rows) if rows else output.plain(nothing)
    call.answer({"skills": found}, shown)
