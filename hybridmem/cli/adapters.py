"""``hybridmem adapters``: versions of the weights, and which of them answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.errors import AdapterError
from hybridmem.core.records import AdapterRecord

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hybridmem.maintenance.provenance import DataVerdict
    from hybridmem.maintenance.reproduction import Reproduction

app = typer.Typer()
group = typer.Typer(help="Versions of the weights: list, show, promote, rollback, diff, export, verify.")
app.add_typer(group, name="adapters", rich_help_panel="Dream")
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, as `adapters list` shows it.")]
TOLERANCE = 0.02
"""How far a figure may be from its card's, in its own unit: another processor rounds differently, and one question of
fifty may turn."""
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
def diff(
    call: Invocation,
    before: Version,
    after: Version,
    ask: Annotated[
        bool, typer.Option("--ask", help="Put every audit question to both, too: learned, kept, changed, lost.")
    ] = False,
) -> None:
    """Compare two versions: facts gained and lost, every score, and with --ask their answers one by one."""
    from hybridmem.maintenance.adapter_questions import ask_both

    with call.open() as memory:
        difference = memory.adapters.diff(before, after)
        asked = ask_both(memory.workspace, before, after) if ask else None
    scores = [(name, old, new) for name, (old, new) in difference.scores.items()]
    shown: list[RenderableType] = [
        output.pairs({"gained": difference.gained, "lost": difference.lost}),
        output.table(["score", f"#{before}", f"#{after}"], scores),
    ]
    answer: Any = difference
    if asked is not None:
        answer = {**output.fields(difference), "asked": asked}
        counts: dict[str, int] = dict(asked.counts.items())
        counts["facts not asked about"] = len(asked.unasked)
        rows = [(one.verdict, one.question, one.expected, one.before, one.after) for one in asked.questions]
        shown += [
            output.table(["verdict", "question", "value", before, after], rows, "asked closed-book"),
            output.pairs(counts),
        ]
    call.answer(answer, *shown)


@command(group)
def export(
    call: Invocation,
    version: Version,
    destination: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
    form: Annotated[
        Literal["peft", "merged", "gguf"],
        typer.Option(
            "--format",
            help="peft: the adapter and its card, for PEFT and vLLM's --lora-modules; merged: a model folder of base "
            "and adapter, for transformers and vLLM; gguf: that as a file, with a Modelfile, for Ollama and llama.cpp.",
        ),
    ] = "peft",
) -> None:
    """Copy a version into a folder for PEFT, vLLM or Ollama. No later deletion reaches the copy."""
    from hybridmem.maintenance.merged_export import export_merged

    with call.open() as memory:
        if form == "peft":
            folder = memory.adapters.export(version, destination)
        else:
            folder = export_merged(memory.workspace, version, destination, form)
    call.answer(
        {"version": version, "format": form, "folder": str(folder)},
        output.plain(f"exported {version} to {folder}"),
    )


@command(group)
def verify(
    call: Invocation,
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="One version (default: every version with files).")
    ] = None,
    data: Annotated[
        bool, typer.Option("--data", help="Compare its data's digest with the facts and items in the ledger, too.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures", help="Load the model, check its base, and measure its card's figures again.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="How far a figure may be from its card's, with --figures.")
    ] = TOLERANCE,
) -> None:
    """Read every file of a version again and compare it with its hash. Exits 1 if one fails, or what else is asked of
    it does."""
    from hybridmem.maintenance.provenance import compare_data
    from hybridmem.maintenance.reproduction import reproduce

    found: dict[str, str | None] = {}
    data_of: dict[str, DataVerdict] = {}
    figures_of: dict[str, Reproduction] = {}
    with call.open() as memory:
        versions = [version] if version else [r.version for r in memory.adapters.list() if r.files]
        for each in versions:
            try:
                memory.adapters.verify(each)
                found[each] = None
                if data:
                    data_of[each] = compare_data(memory.ledger, memory.namespace, memory.adapters.card(each))
                if figures:
                    figures_of[each] = reproduce(memory.workspace, each, tolerance)
                    found[each] = figures_of[each].reason
            except AdapterError as error:
                found[each] = str(error)
    rows = [(each, reason or "sound", *([data_of.get(each)] if data else [])) for each, reason in found.items()]
    sound = not any(found.values()) and all(verdict.status in ("match", "unknown") for verdict in data_of.values())
    answers: list[dict[str, Any]] = [{"version": each, "reason": reason} for each, reason in found.items()]
    for asked, name, results in ((data, "data", data_of), (figures, "figures", figures_of)):
        if asked:
            answers = [{**answer, name: results.get(answer["version"])} for answer in answers]
    columns = ["version", "verdict", *(["data"] if data else [])]
    measured = [
        (each, figure.split, figure.name, figure.card, figure.measured, figure.within)
        for each, result in figures_of.items()
        for figure in result.figures
    ]
    shown: list[RenderableType] = [output.table(columns, rows) if rows else output.plain("no adapters to verify")]
    if measured:
        shown.append(output.table(["version", "split", "figure", "#card", "#measured", "within"], measured))
    call.answer({"sound": sound, "adapters": answers}, *shown)
    if not sound:
        raise typer.Exit(errors.NO)


def _answers(record: AdapterRecord | None) -> str:
    return f"{record.version} answers now" if record else "the bare base answers now"
