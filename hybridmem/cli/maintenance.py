"""Commands on a whole memory: counts, export and import, indexes, and the doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.progress import bars
from hybridmem.core.errors import AdapterError, InvalidInput, ModelError

app = typer.Typer()
PANEL = "Maintain"


@command(app, panel=PANEL)
def stats(call: Invocation) -> None:
    """Count memories, facts, exercises, adapters and nights."""
    with call.open() as memory:
        counts = memory.stats()
    call.answer(counts, output.pairs(counts))


@command(app, panel=PANEL)
def export(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file of JSON lines.")],
) -> None:
    """Write the whole namespace, with its facts and history, as JSON lines that `import` reads back."""
    if file.exists():
        raise InvalidInput(f"{file} is there already: name a new file, or remove it first")
    with call.open() as memory:
        lines = memory.export(file)
    call.answer({"file": str(file), "lines": lines}, output.plain(f"exported {lines:,} lines to {file}"))


@command(app, "import", panel=PANEL)
def import_file(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `export` wrote.")],
) -> None:
    """Read a namespace that `export` wrote, with its ids, dates, facts and history."""
    if not file.is_file():
        raise InvalidInput(f"no file {file}: name one that `hybridmem export` wrote")
    with call.open(create=True) as memory:
        lines = memory.import_(file)
    call.answer({"file": str(file), "lines": lines}, output.plain(f"imported {lines:,} lines from {file}"))


@command(app, panel=PANEL)
def reindex(call: Invocation) -> None:
    """Build the vector, full-text and graph indexes again from the ledger."""
    with call.open() as memory, bars(quiet=call.as_json) as progress:
        followed = memory.reindex(progress)
    call.answer({"indexed": followed}, output.plain(f"indexed {followed:,} memories"))


@command(app, panel=PANEL)
def doctor(
    call: Invocation,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without losing anything.")] = False,
) -> None:
    """Check the ledger, the indexes against it, the adapters' files, and whether the model can be loaded; and print the
    device, the precision and the memory that the model would use. Exits 1 while something is wrong."""
    from hybridmem.models.resource_estimate import resource_estimate

    with call.open() as memory:
        found = memory.doctor(repair=repair)
        remaining = memory.doctor() if repair and found else found
    try:
        estimate = resource_estimate(call.model)
    except (ModelError, AdapterError) as error:
        estimate = None
        found, remaining = [*found, f"the model: {error}"], [*remaining, f"the model: {error}"]
    lines = [output.plain(f"{'repaired' if each not in remaining else 'found'}: {each}") for each in found]
    lines += [output.plain(f"found: {each}") for each in remaining if each not in found]
    tables = [output.pairs(output.fields(estimate))] if estimate is not None else []
    call.answer(
        {"found": found, "left": remaining, "model": estimate}, *(lines or [output.plain("nothing is wrong")]), *tables
    )
    if remaining:
        raise typer.Exit(errors.NO)
