"""``hybridmem dream``, and the reports of earlier nights."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.progress import bars
from hybridmem.core.clock import utc_now
from hybridmem.core.errors import DreamInterrupted, InvalidInput, UnknownDream
from hybridmem.core.records import DreamReport, ReaderUsage
from hybridmem.core.text.plural import counted

if TYPE_CHECKING:
    from hybridmem.dreaming.proposal import DreamReview

app = typer.Typer()
PANEL = "Dream"
NONE = "none"
"""Accepts nothing: the episodes count as read."""
SAID = 300
"""Characters of an episode that a diff shows."""
HEADLINES = {
    "promoted": "promoted",
    "rejected": "rejected: everything stays with retrieval",
    "nothing": "nothing to do",
    "estimated": "estimated: nothing was changed",
}


@command(app, panel=PANEL)
def dream(
    call: Invocation,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate what a night would do and cost.")] = False,
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help="A recipe's name, or the path of a .toml file.")
    ] = "default",
    review: Annotated[
        bool, typer.Option("--review", help="Stop before anything changes, and show what the night would believe.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID|all|none", help="Go on with this change of the night that --review showed; may be repeated."
        ),
    ] = None,
) -> None:
    """Consolidate: tidy the store, train an adapter, and promote it if the gate finds nothing forgotten.

    Exits 1 if the gate refused. An interrupted dream promotes nothing, and the next one resumes it. With a URL in
    HYBRIDMEM_WEBHOOK, that is sent word of how it ended."""
    from hybridmem.jobs.webhook import announce

    if sum((dry_run, review, accept is not None)) > 1:
        raise InvalidInput("--dry-run, --review and --accept are three things: give one of them")
    chosen: dict[str, Any] = {} if accept is None else {"accept": [each for each in accept if each != NONE]}
    try:
        with call.open() as memory, bars(quiet=call.as_json) as progress:
            if review:
                found = memory.review_dream(recipe=recipe, progress=progress)
                call.answer(found, *_diff(found))
                return
            report = memory.dream(dry_run=dry_run, recipe=recipe, progress=progress, **chosen)
    except KeyboardInterrupt:
        raise DreamInterrupted(
            "the dream was interrupted and nothing was promoted: run `hybridmem dream` again to resume it"
        ) from None
    if not dry_run and (lost := announce(call.namespace, utc_now(), report)) is not None:
        print(f"note: {lost}", file=sys.stderr, flush=True)  # noqa: T201
    call.answer(report, *render(report))
    if report.status == "rejected":
        raise typer.Exit(errors.NO)


@command(app, panel=PANEL)
def dreams(
    call: Invocation,
    night: Annotated[
        int | None, typer.Argument(metavar="[NIGHT]", help="One night, with its steps, its gate and what was kept.")
    ] = None,
) -> None:
    """List the nights so far with what each learned and its verdict, or show one night in full."""
    with call.open() as memory:
        reports = memory.dreams()
    if night is not None:
        found = [report for report in reports if report.night == night]
        if not found:
            nights = ", ".join(str(report.night) for report in reports) or "none yet"
            raise UnknownDream(f"there is no night {night}: choose of {nights}")
        call.answer(found[-1], *render(found[-1]))
        return
    rows = [
        (r.night, r.started_at, r.status, r.adapter, r.new_facts, r.held_facts, r.seconds, r.reason) for r in reports
    ]
    columns = ["#night", "started", "status", "adapter", "#new facts", "#held facts", "#seconds", "reason"]
    tables: list[RenderableType] = [output.table(columns, rows) if rows else output.plain("no dreams yet")]
    if any(report.retention for report in reports):
        tables.append(_retention(reports))
    call.answer({"dreams": reports}, *tables)


def _diff(review: DreamReview) -> list[RenderableType]:
    """The changes that wait, each with its sentence, and how to go on."""
    lines: list[RenderableType] = []
    for change in review.changes:
        lines.append(output.plain(f"{change.id}: {change.action}", "bold"))
        sign, style = ("-", "red") if change.action == "ended" else ("+", "green")
        lines.append(output.plain(f"{sign} {change.claim}", style))
        lines += [output.plain(f"- {claim}", "red") for claim in change.replaces if change.action == "superseded"]
        lines += [output.plain(f"  against {claim}") for claim in change.replaces if change.action == "contradiction"]
        lines.append(output.plain(f"  read: {change.text}"))
        lines += [output.plain("  said: ").append_text(output.plain(said, limit=SAID)) for said in change.sources]
    episodes = counted(review.episodes, "episode")
    if review.reader is not None:
        lines.append(output.pairs(_reader(review.reader)))
    if not review.changes:
        return [output.plain(f"nothing to believe in {episodes}: `hybridmem dream --accept none` marks them as read")]
    how = "`hybridmem dream --accept all`, or --accept ID for each; what is not accepted is not believed"
    waits = f"{counted(len(review.changes), 'change')} of {episodes}, and none of them is believed yet: {how}"
    return [*lines, output.plain(waits)]


def _retention(reports: list[DreamReport]) -> RenderableType:
    """The matrix R: a row for each night that measured it, a column for each night's facts."""
    measured = [report for report in reports if report.retention]
    width = max(len(report.retention) for report in measured)
    rows = [
        (f"after {report.night}", *report.retention, *[None] * (width - len(report.retention))) for report in measured
    ]
    columns = ["facts of night", *(f"#{night}" for night in range(1, width + 1))]
    return output.table(columns, rows, "accuracy by night")


def _reader(took: ReaderUsage) -> dict[str, int | str]:
    """What the night's reader took, in one line each."""
    tokens = f"{took.prompt_tokens:,} in prompts, {took.completion_tokens:,} in completions"
    if took.estimated_calls:
        tokens += f" ({took.estimated_calls:,} of the calls estimated, at four characters a token)"
    cost = "unknown: give the reader price_in= and price_out=" if took.cost is None else f"{took.cost:.4f}"
    return {"reader's calls": took.calls, "reader's tokens": tokens, "reader's cost": cost}


def render(report: DreamReport) -> list[RenderableType]:
    """A night as tables: the verdict, the steps and their cost, the gate, and the figures on the test split."""
    headline = f"night {report.night}: {HEADLINES[report.status]}" + (f" ({report.reason})" if report.reason else "")
    figures = {
        "adapter": report.adapter,
        "new facts": report.new_facts,
        "facts in the weights": report.held_facts,
        "left to retrieval": len(report.left_to_retrieval),
        "unlearned": len(report.unlearned),
        "trained tokens": report.trained_tokens,
        "training seconds, at most" if report.status == "estimated" else "seconds": report.seconds,
        # An estimate has measured none.
        "peak memory (MB)": report.peak_memory_mb or None,
        "accuracy by night": report.retention,
    }
    if report.reader is not None:
        figures |= _reader(report.reader)
    tables: list[RenderableType] = [output.plain(headline, "bold"), output.pairs(figures)]
    if report.steps:
        steps = [(s.name, s.seconds, s.tokens, s.counts) for s in report.steps]
        tables.append(output.table(["step", "#seconds", "#tokens", "counts"], steps))
    asked = [(s.name, s.reader) for s in report.steps if s.reader is not None]
    if asked and report.reader is not None:
        asked.append(("all", report.reader))
        rows = [(name, r.calls, r.prompt_tokens, r.completion_tokens, r.refused_calls, r.cost) for name, r in asked]
        columns = ["reader", "#calls", "#prompt tokens", "#completion tokens", "#refused", "#cost"]
        tables.append(output.table(columns, rows))
    if report.gate:
        checks = [(c.name, c.value, c.bound, "passed" if c.passed else "REFUSED") for c in report.gate]
        tables.append(output.table(["gate", "#value", "#bound", "verdict"], checks))
    if report.test:
        tables.append(output.pairs(report.test, "test split"))
    return tables
