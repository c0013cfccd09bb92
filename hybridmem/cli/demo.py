"""``hybridmem demo``: the whole story, on the bundled model or on yours."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.errors import InvalidInput

app = typer.Typer()


@command(app, panel="Start here", backends=False)
def demo(
    call: Invocation,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where its memory and its report go (default: runs/demo-TIME)."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer nights, and no comparison without replay.")] = False,
) -> None:
    """Live through a few days, dream, and show what was learned, forgotten and refused. Offline, on the CPU."""
    from hybridmem.evaluation.demo.run import run

    place = folder or Path("runs") / f"demo-{datetime.now():%Y%m%d-%H%M%S}"
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InvalidInput(f"{place} is there already and the demo starts afresh: name a new folder with --folder")
    place.mkdir(parents=True, exist_ok=True)
    call.answer(run(place, call.console(), quick=quick, model=call.model, embedder=call.embedder))
