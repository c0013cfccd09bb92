"""``hybridmem install``, ``uninstall`` and ``hook``: coding agents that remember."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmem.coding_agents.installation import Plan

app = typer.Typer()
CONNECT = "Connect"
HOME = ".hybridmem"
"""The memory folder in the user's home, where none is named: hooks run in every folder."""
NO_MCP = "the MCP entry was left out: pip install 'hybridmem[mcp]', then run this again"

AgentArgument = Annotated[
    str, typer.Argument(metavar="AGENT", help="claude-code, codex, cursor, gemini-cli or opencode.")
]
ScopeOption = Annotated[
    Literal["user", "project"],
    typer.Option(metavar="user|project", help="The files in your home, or those of the project that you are in."),
]
ByOption = Annotated[
    Literal["user", "project"],
    typer.Option(metavar="user|project", help="One namespace for all sessions, or below it one for each project."),
]
BudgetOption = Annotated[
    int, typer.Option(min=0, metavar="TOKENS", help="Most tokens of memories at a session's start and at each prompt.")
]
ServerOption = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="A `hybridmem serve` on the same memory, which is asked at each prompt; its token is in HYBRIDMEM_TOKEN.",
    ),
]
SkillsOption = Annotated[
    Literal["learn", "off"],
    typer.Option(metavar="learn|off", help="Learn skills from what the agent calls, when a session is over, or not."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Write without asking.")]


@command(app, panel=CONNECT)
def install(
    call: Invocation,
    agent: AgentArgument,
    scope: ScopeOption = "user",
    by: ByOption = "user",
    budget: BudgetOption = 600,
    server: ServerOption = "",
    skills: SkillsOption = "learn",
    yes: YesOption = False,
) -> None:
    """Have a coding agent remember: write its hooks and its MCP entry into its own files, after showing what changes.

    The memory is ~/.hybridmem unless --memory names another. A second time changes nothing. Exits 1 where nothing was
    written for want of a yes."""
    from hybridmem.coding_agents import installation, project
    from hybridmem.coding_agents.agent import Commands
    from hybridmem.coding_agents.hook_settings import HookSettings
    from hybridmem.coding_agents.place import Place
    from hybridmem.coding_agents.registry import agent_named
    from hybridmem.schedule.invocation import program

    chosen = agent_named(agent)
    place = Place.here(scope, project.root_of(Path.cwd()))
    memory = (call.folder if call.names_folder else Path.home() / HOME).expanduser().absolute()
    settings = HookSettings(memory, "/".join(call.namespace), by, budget, server, call.redact, skills)
    served = ["mcp", "--memory", str(memory), "--namespace", settings.namespace]
    if by == "project":
        served += ["--project", str(place.project) if scope == "project" else chosen.workspace]
    has_mcp = find_spec("mcp") is not None
    commands = Commands(
        (*program(), "hook", chosen.name, *settings.words()), (*program(), *served) if has_mcp else None
    )
    notes = [each for each in (chosen.note, "" if has_mcp else NO_MCP) if each]
    _carry_out(call, installation.install(chosen, place, commands), yes, notes)


@command(app, panel=CONNECT)
def uninstall(call: Invocation, agent: AgentArgument, scope: ScopeOption = "user", yes: YesOption = False) -> None:
    """Take hybridmem's hooks and MCP entry out of a coding agent's files, after showing what changes.

    Files that nobody changed since are as they were, to the byte. The memory itself stays. Exits 1 where nothing was
    written for want of a yes."""
    from hybridmem.coding_agents import installation, project
    from hybridmem.coding_agents.place import Place
    from hybridmem.coding_agents.registry import agent_named

    place = Place.here(scope, project.root_of(Path.cwd()))
    _carry_out(call, installation.uninstall(agent_named(agent), place), yes, [])


@command(app, panel=CONNECT)
def hook(
    call: Invocation,
    agent: AgentArgument,
    by: ByOption = "user",
    budget: BudgetOption = 600,
    server: ServerOption = "",
    skills: SkillsOption = "learn",
) -> None:
    """Take an event of a coding agent on stdin, remember what was said, and print what the agent is to know.

    `install` writes it into the agent's files. Whatever goes wrong, it exits 0 and prints nothing; the reason is in
    hooks.log in the user's state folder."""
    from hybridmem.coding_agents import hook_command
    from hybridmem.coding_agents.hook_settings import HookSettings

    settings = HookSettings(call.folder, "/".join(call.namespace), by, budget, server, call.redact, skills)
    hook_command.run([agent, *settings.words()])


def _carry_out(call: Invocation, plan: Plan, yes: bool, notes: list[str]) -> None:
    """Show the plan, and write it after a yes."""
    from hybridmem.coding_agents import installation

    title = plan.agent.title
    if not plan.changes:
        state = f"{title} has them already" if plan.installs else f"there is nothing of hybridmem in {title}'s files"
        call.answer(_record(plan, applied=False), output.plain(f"nothing to do: {state}"))
        return
    if not call.as_json:
        for change in plan.changes:
            call.console().print(output.plain(change.diff()), end="", soft_wrap=True)
    agreed = yes or (not call.as_json and sys.stdin.isatty() and _agreed())
    if not agreed:
        call.answer(_record(plan, applied=False), output.plain("nothing was written: add --yes to write this"))
        raise typer.Exit(errors.NO)
    installation.apply(plan)
    done = [f"{'removed' if each.after is None else 'wrote'} {each.path}" for each in plan.changes]
    call.answer(_record(plan, applied=True), *(output.plain(line) for line in [*done, *notes]))


def _agreed() -> bool:
    try:
        return input("Write this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _record(plan: Plan, *, applied: bool) -> dict[str, object]:
    changes = [{"path": str(each.path), "diff": each.diff()} for each in plan.changes]
    return {"agent": plan.agent.name, "scope": plan.place.scope, "applied": applied, "changes": changes}
