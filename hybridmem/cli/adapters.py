"""``hybridmem adapters``: versions of the weights, and which of them answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.errors import AdapterError
from hybridmem.core.records import AdapterRecord

if TYPE_CHECKING:
    from hybridmem.maintenance.provenance import DataVerdict

app = typer.Typer()
group = typer.Typer(help="Versions of the weights: list, show, promote, rollback, diff, export, verify.")
app.add_typer(group, name="adapters", rich_help_panel="Dream")
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, as `adapters list` shows it.")]
BARE = "none"
"""The name that stands for no adapter: the bare base answers."""


@command(group, "list")
def list_adapters(call: Invocation) -> None:
    """List every version, oldest first."""
    with call.open() as memory:
        records, active = memory.adapters.list(), memory.adapters.active()
    rows = [(r.version, r.status, r.created_at, r.parent, len(r.facts), len(r.tainted), r.scores) for r in records]
    columns = ["version", "status", "created", "parent", "#facts", "#tainted", "scores"]
    call.answer(
        {"adapters": records, "active": active.version if active else None},
        output.table(columns, rows) if rows else output.plain("no adapters yet: run `hybridmem dream`"),
    )


@command(group)
def show(call: Invocation, version: Version) -> None:
    """Show one version: its parent, its base, the facts it holds and its gate's scores."""
    with call.open() as memory:
        record = memory.adapters.get(version)
    call.answer(record, output.pairs(output.fields(record)))


@command(group)
def promote(
    call: Invocation,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version to activate; none for the bare base.")],
    force: Annotated[bool, typer.Option("--force", help="Promote it even if its gate rejected it.")] = False,
) -> None:
    """Let a version answer from now on. Exits 1 if its gate rejected it."""
    with call.open() as memory:
        refused = version != BARE and not force and memory.adapters.get(version).status == "rejected"
        record = None if refused else memory.adapters.promote(None if version == BARE else version, force=force)
    if refused:
        reason = f"{version} was rejected by its gate: see `hybridmem adapters show {version}`, or pass --force"
        call.answer({"active": None, "refused": version, "reason": reason}, output.plain(reason, "yellow"))
        raise typer.Exit(errors.NO)
    call.answer({"active": record.version if record else None}, output.plain(_answers(record)))


@command(group)
def rollback(call: Invocation) -> None:
    """Go back to the version that answered before the active one."""
    with call.open() as memory:
        record = memory.adapters.rollback()
    call.answer({"active": record.version if record else None}, output.plain(_answers(record)))


@command(group)
def diff(call: Invocation, before: Version, after: Version) -> None:
    """Compare two versions: facts gained and lost, and every score."""
    with call.open() as memory:
        difference = memory.adapters.diff(before, after)
    scores = [(name, old, new) for name, (old, new) in difference.scores.items()]
    call.answer(
        difference,
        output.pairs({"gained": difference.gained, "lost": difference.lost}),
        output.table(["score", f"#{before}", f"#{after}"], scores),
    )


@command(group)
def export(
    call: Invocation,
    version: Version,
    destination: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
) -> None:
    """Copy a version and its card into a folder that PEFT's `PeftModel.from_pretrained` loads."""
    with call.open() as memory:
        folder = memory.adapters.export(version, destination)
    call.answer({"version": version, "folder": str(folder)}, output.plain(f"exported {version} to {folder}"))


@command(group)
def verify(
    call: Invocation,
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="One version (default: every version with files).")
    ] = None,
    data: Annotated[
        bool, typer.Option("--data", help="Compare its data's digest with the facts and items in the ledger, too.")
    ] = False,
) -> None:
    """Read every file of a version again and compare it with its hash. Exits 1 if one fails, or its data does."""
    from hybridmem.maintenance.provenance import compare_data

    found: dict[str, str | None] = {}
    data_of: dict[str, DataVerdict] = {}
    with call.open() as memory:
        versions = [version] if version else [r.version for r in memory.adapters.list() if r.files]
        for each in versions:
            try:
                memory.adapters.verify(each)
                found[each] = None
                if data:
                    data_of[each] = compare_data(memory.ledger, memory.namespace, memory.adapters.card(each))
            except AdapterError as error:
                found[each] = str(error)
    rows = [(each, reason or "sound", *([data_of.get(each)] if data else [])) for each, reason in found.items()]
    sound = not any(found.values()) and all(verdict.status in ("match", "unknown") for verdict in data_of.values())
    answers: list[dict[str, Any]] = [{"version": each, "reason": reason} for each, reason in found.items()]
    if data:
        answers = [{**answer, "data": data_of.get(answer["version"])} for answer in answers]
    columns = ["version", "verdict", *(["data"] if data else [])]
    call.answer(
        {"sound": sound, "adapters": answers},
        output.table(columns, rows) if rows else output.plain("no adapters to verify"),
    )
    if not sound:
        raise typer.Exit(errors.NO)


def _answers(record: AdapterRecord | None) -> str:
    return f"{record.version} answers now" if record else "the bare base answers now"
