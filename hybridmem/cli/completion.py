"""``hybridmem completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation, command

app = typer.Typer()
PROGRAM = "hybridmem"
VARIABLE = "_HYBRIDMEM_COMPLETE"
"""Set by the script while the user presses Tab."""


@command(app, panel="Connect")
def completion(
    call: Invocation,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="bash|zsh|fish", help="Your shell.")],
) -> None:
    """Print what has your shell complete commands, options and their values: put it into the shell's start-up file."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
    if call.as_json:
        output.print_json({"shell": shell, "script": script})
    else:
        typer.echo(script)


def prepare() -> None:
    """Let the application answer the shell, where it was started for that."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
