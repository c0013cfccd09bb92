"""``export --markdown`` and ``import DIR``: a memory as a folder that a person edits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import RenderableType

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation
from hybridmem.core.text.plural import counted

if TYPE_CHECKING:
    from hybridmem.maintenance.markdown.importing import MarkdownReceipt
    from hybridmem.maintenance.markdown.plan import MarkdownChange

SHOWN = 20
"""Lines of each kind that are printed; ``--json`` has them all."""
WORDS = {"add": "added", "supersede": "superseded", "reword": "reworded", "redate": "dated anew", "erase": "erased"}


@dataclass(frozen=True, slots=True)
class EditOptions:
    """What is to become of a person's edits in a folder of Markdown."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Of a folder: show what would be done and do nothing.")] = (
        False
    )
    delete: Annotated[
        bool, typer.Option("--delete", help="Of a folder: erase the memories whose lines are gone, for good.")
    ] = False
    prefer: Annotated[
        Literal["file", "memory"] | None,
        typer.Option(
            metavar="file|memory",
            help="Of a folder: which side is right where both changed a memory; memory also brings lines back.",
        ),
    ] = None


def export(call: Invocation, folder: Path) -> None:
    """Write the memory into `folder`."""
    with call.open() as memory:
        made = memory.export_markdown(folder)
    files = f"{counted(len(made.written), 'file')} written" if made.written else "every file was up to date"
    removed = f", {counted(len(made.removed), 'file')} removed" if made.removed else ""
    left = [f"left out: {counted(made.left_out, 'fact')} with a subject too long for a file"] if made.left_out else []
    done = f"exported {counted(made.memories, 'memory', 'memories')} to {folder}: {files}{removed}"
    call.answer(made, output.plain(done), *(output.plain(each, "yellow") for each in left))


def import_(call: Invocation, folder: Path, options: EditOptions) -> None:
    """Take the edits in `folder` into the memory. Exits 1 while some of them were not taken in."""
    with call.open() as memory:
        receipt = memory.import_markdown(folder, dry_run=options.dry_run, delete=options.delete, prefer=options.prefer)
    call.answer(receipt, *_lines(receipt))
    if not receipt.is_whole:
        raise typer.Exit(errors.NO)


def _lines(receipt: MarkdownReceipt) -> list[RenderableType]:
    """The changes as a diff, then what was not taken in and why, then the count."""
    made: list[RenderableType] = list(_diff(receipt.changes))
    if receipt.erased is not None and receipt.erased.pending:
        made.append(output.plain(f"still to do: {receipt.erased.pending}"))
    made += _few(
        f"kept, though its line is gone: {each.before} (erase it with --delete, or bring the line back with "
        "--prefer memory)"
        for each in receipt.kept
    )
    for conflict in receipt.conflicts:
        place = f"{conflict.file}, line {conflict.line}" if conflict.line else conflict.file
        made.append(output.plain(f"conflict in {place}: choose a side with --prefer, or edit the line", "yellow"))
        made.append(output.plain(f"  the file:   {conflict.in_file or 'its line is gone'}"))
        made.append(output.plain(f"  the memory: {conflict.in_memory or 'not believed any more, or erased'}"))
    made += _few(f"not taken in: {each.file}, line {each.line}: {each.reason}" for each in receipt.refused)
    made += _few(
        (
            f"left alone: {each.file}{f', line {each.line}' if each.line else ''}: {each.reason}"
            for each in receipt.left_alone
        ),
        "dim",
    )
    if receipt.changed_since:
        changed = counted(len(receipt.changed_since), "memory", "memories")
        made.append(output.plain(f"changed in the memory since the export: {changed}", "dim"))
    counts = [
        f"{number:,} {WORDS[action]}"
        for action in WORDS
        if (number := sum(each.action == action for each in receipt.changes))
    ]
    done = ", ".join(counts) or "nothing to take in"
    return [*made, output.plain(f"{'would be: ' if receipt.dry_run and counts else ''}{done}", "bold")]


def _diff(changes: Sequence[MarkdownChange]) -> Iterable[RenderableType]:
    for change in changes[:SHOWN]:
        place = f"{change.file}, line {change.line}" if change.line else change.file
        yield output.plain(f"{change.action} in {place}", "bold")
        for sign, text, style in (("-", change.before, "red"), ("+", change.after, "green")):
            yield from (output.plain(f"{sign} {line}", style) for line in (text or "").split("\n") if line)
    if len(changes) > SHOWN:
        yield output.plain(f"... and {len(changes) - SHOWN:,} more: --json has them all")


def _few(lines: Iterable[str], style: str = "yellow") -> list[RenderableType]:
    every = list(lines)
    more = [f"... and {len(every) - SHOWN:,} more: --json has them all"] if len(every) > SHOWN else []
    return [output.plain(line, style) for line in (*every[:SHOWN], *more)]
