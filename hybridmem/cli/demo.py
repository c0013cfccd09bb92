"""``hybridmem demo``: the whole story on the bundled model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hybridmem.cli.invocation import Invocation, command

app = typer.Typer()


@command(app, panel="Start here")
def demo(
    call: Invocation,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Keep the demo's memory there (default: thrown away)."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer facts and nights: about a minute.")] = False,
) -> None:
    """Live through a few days, dream, and show what was learned, forgotten and refused. Offline, on the CPU."""
    from hybridmem.evaluation import demo as story

    with tempfile.TemporaryDirectory(prefix="hybridmem-demo-") as temporary:
        result = story.run(folder or Path(temporary), call.console(), quick=quick)
    call.answer(result)
