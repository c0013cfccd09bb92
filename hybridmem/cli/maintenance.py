"""Commands on a whole memory: counts, export and import, indexes, and the doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmem.cli import errors, markdown_folder, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.markdown_folder import EditOptions
from hybridmem.cli.progress import bars
from hybridmem.core import arguments
from hybridmem.core.errors import AdapterError, InvalidInput, ModelError
from hybridmem.core.text.plural import counted

if TYPE_CHECKING:
    from hybridmem.models.resource_estimate import ResourceEstimate

app = typer.Typer()
PANEL = "Maintain"


@command(app, panel=PANEL)
def stats(call: Invocation) -> None:
    """Count memories, facts, exercises, adapters, nights, and memories that hold a secret."""
    with call.open() as memory:
        counts = memory.stats()
    call.answer(counts, output.pairs(counts))


@command(app, panel=PANEL)
def export(
    call: Invocation,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A new file of JSON lines, with everything in it.")
    ] = None,
    markdown: Annotated[
        str | None,
        typer.Option(
            "--markdown",
            metavar="DIR",
            help="Instead, a folder of Markdown to read and edit, or one to bring up to date.",
        ),
    ] = None,
) -> None:
    """Write the whole namespace, with its facts and history, as JSON lines; or, with --markdown, what it believes as a
    file a subject, and what was said as a file a day. `import` reads both back."""
    if (file is None) == (markdown is None):
        raise InvalidInput("nothing to write, or too much: name a FILE, or a folder with --markdown DIR")
    if markdown is not None:
        markdown_folder.export(call, arguments.path("--markdown", markdown))
        return
    file = arguments.path("FILE", file)
    if file.exists():
        raise InvalidInput(f"{file} is there already: name a new file, or remove it first")
    with call.open() as memory:
        lines = memory.export(file)
    call.answer({"file": str(file), "lines": lines}, output.plain(f"exported {counted(lines, 'line')} to {file}"))


@command(app, "import", panel=PANEL)
def import_file(
    call: Invocation,
    file: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A file that `export` wrote, or a folder of `export --markdown`.")
    ],
    *,
    edits: EditOptions,
) -> None:
    """Read a namespace that `export` wrote, with its ids, dates, facts and history; or, of a folder of Markdown, take
    the edits that were made in it into the memory.

    Exits 1 while a folder has edits that were not taken in."""
    file = arguments.path("FILE", file)
    if file.is_dir():
        markdown_folder.import_(call, file, edits)
        return
    if edits != EditOptions():
        raise InvalidInput("--dry-run, --delete and --prefer go with a folder of `hybridmem export --markdown`")
    if not file.is_file():
        raise InvalidInput(f"no file {file}: name one that `hybridmem export` wrote")
    with call.open(create=True) as memory:
        taken = memory.import_(file)
    counts = {"lines": taken.lines, "there": taken.there, "erased": taken.erased}
    left = [
        f"{count:,} {what}" for count, what in ((taken.there, "there already"), (taken.erased, "erased here")) if count
    ]
    left_out = f"; left out: {' and '.join(left)}" if left else ""
    done = f"imported {counted(taken.lines, 'line')} from {file}{left_out}"
    call.answer({"file": str(file), **counts}, output.plain(done))


@command(app, "agents-md", panel=PANEL)
def agents_md(
    call: Invocation,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="The file of instructions.")] = "AGENTS.md",
    budget: Annotated[int, typer.Option(min=1, metavar="TOKENS", help="Most tokens that the section may take.")] = 800,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the section and change nothing.")] = False,
) -> None:
    """Put what is known best into a section of AGENTS.md, between markers, and print what it costs every prompt.

    The facts that are used most and have stood longest come first; the rest of the file stays byte for byte."""
    with call.open() as memory:
        section = memory.agents_md(arguments.path("FILE", file), budget=budget, dry_run=dry_run)
    left = f"; {counted(section.left_out, 'fact')} did not fit" if section.left_out else ""
    cost = f"{counted(len(section.facts), 'fact')}, about {counted(section.tokens, 'token')} in every prompt{left}"
    done = f"{'written to' if section.changed else 'unchanged:'} {section.file}"
    shown = [output.plain(section.text.rstrip("\n"))] if dry_run else [output.plain(done)]
    call.answer(section, *shown, output.plain(cost))


@command(app, panel=PANEL)
def secrets(call: Invocation) -> None:
    """List the memories that hold passwords, keys, tokens or card numbers, without showing these.

    No training reads them. `--redact store` keeps new ones out of the store; `update` or `delete` removes these."""
    with call.open() as memory:
        found = memory.secrets()
    rows = [(each.id, each.kind, each.found) for each in found]
    tables = [output.table(["id", "kind", "holds"], rows) if rows else output.plain("no secrets found")]
    call.answer({"secrets": found}, *tables)


@command(app, panel=PANEL)
def reindex(call: Invocation) -> None:
    """Build the vector, full-text and graph indexes again from the ledger."""
    with call.open(whole_folder=True) as memory, bars(quiet=call.as_json) as progress:
        followed = memory.reindex(progress)
    call.answer({"indexed": followed}, output.plain(f"indexed {counted(followed, 'memory', 'memories')}"))


@command(app, panel=PANEL)
def doctor(
    call: Invocation,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without losing anything.")] = False,
) -> None:
    """Check the ledger, the indexes against it, the adapters' files, and whether the model can be loaded; and print the
    device, the precision and the memory that the model would use, and how many memories hold a secret. Exits 1 while
    something is wrong."""
    from hybridmem.models.resource_estimate import resource_estimate

    with call.open(whole_folder=True) as memory:
        found = memory.doctor(repair=repair)
        remaining = memory.doctor() if repair and found else found
        held = sum(len(memory.at(namespace).secrets()) for namespace in memory.namespaces())
    try:
        estimate = resource_estimate(call.model)
    except (ModelError, AdapterError) as error:
        estimate = None
        found, remaining = [*found, f"the model: {error}"], [*remaining, f"the model: {error}"]
    lines = [output.plain(f"{'repaired' if each not in remaining else 'found'}: {each}") for each in found]
    lines += [output.plain(f"found: {each}") for each in remaining if each not in found]
    lines = lines or [output.plain("nothing is wrong")]
    if held:
        hold = "memory holds" if held == 1 else "memories hold"
        note = f"note: {held:,} {hold} a secret, which no training reads: hybridmem secrets lists them"
        lines.append(output.plain(note))
    tables = [output.pairs(_labelled(estimate))] if estimate is not None else []
    call.answer({"found": found, "left": remaining, "secrets": held, "model": estimate}, *lines, *tables)
    if remaining:
        raise typer.Exit(errors.NO)


def _labelled(estimate: ResourceEstimate) -> dict[str, Any]:
    """The fields under names that say which are bounds: a training takes what it needs of what it may."""
    bounds = {
        "weights_gb": "weights, loaded (GB)",
        "free_gb": "memory free now (GB)",
        "training_gb": "a training may take up to (GB)",
        "multiplies_bfloat16": "trains in bfloat16",
    }
    return {bounds.get(name, name): value for name, value in output.fields(estimate).items()}
