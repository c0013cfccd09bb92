"""How a comparison of strategies is printed: what was kept, what it cost the rest, and what it cost in time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation
from hybridmem.core.errors import MissingExtra

if TYPE_CHECKING:
    from hybridmem.evaluation.comparison.results import TrialResult
    from hybridmem.evaluation.comparison.summary import Spread, Summary
    from hybridmem.evaluation.conditions import Conditions

TABLES = {
    "retention": ("bwt", "forgetting", "learning_gain", "first_night_at_the_end", "answer_loss_median"),
    "side effects": (
        *("drift_nats", "locality", "capability_change"),
        *("false_answer_rate", "stale_answer_rate", "deleted_answer_rate"),
    ),
    "cost": (
        *("seconds_first_night", "seconds_fifth_night", "seconds_last_night", "seconds_last_to_fifth"),
        "trained_tokens_a_night",
    ),
}
"""By title: the figures of each table, all but the accuracy."""


def answer(
    call: Invocation, folder: Path, conditions: Conditions, results: Sequence[TrialResult], nights: Sequence[int]
) -> None:
    """Print what the trials of a comparison found, and write its page into `folder`."""
    from hybridmem.evaluation.comparison.page import write_page
    from hybridmem.evaluation.comparison.summary import frontier, summarise

    summaries = summarise(results)
    on_it = [each.setting.label for each in frontier(summaries)]
    try:
        page, drawn = str(write_page(folder, summaries, conditions, nights)), "report: "
    except MissingExtra as error:
        page, drawn = None, f"no report was drawn, and the results are kept: {error}, then run this again"
    figures = {
        "conditions": conditions,
        "settings": [each.to_json() for each in summaries],
        "frontier": on_it,
        "trials": [each.trial.name for each in results],
        "report": page,
    }
    call.answer(
        figures,
        *_tables(summaries),
        output.plain(f"on the frontier of retention against drift: {'; '.join(on_it) or 'none'}"),
        output.plain(f"{drawn}{page or ''}", "dim"),
    )


def _tables(summaries: Sequence[Summary]) -> list[RenderableType]:
    made: list[RenderableType] = []
    for title, names in TABLES.items():
        columns = ["setting", "#seeds", *(f"#{name.replace('_', ' ')}" for name in names)]
        rows = [
            (each.setting.label, str(len(each.seeds)), *(_spread(each.figures[name]) for name in names))
            for each in summaries
        ]
        if title == "retention":
            columns[2:2] = ["#acc", "#95% interval"]
            rows = [
                (*row[:2], _spread(each.figures["acc"]), _interval(each), *row[2:])
                for each, row in zip(summaries, rows, strict=True)
            ]
        made.append(output.table(columns, rows, title))
    return made


def _spread(spread: Spread | None) -> str | None:
    """The mean and, of more than one seed, how far they lie apart."""
    if spread is None:
        return None
    return output.render_value(spread.mean) + ("" if spread.sd is None else f" ± {output.render_value(spread.sd)}")


def _interval(summary: Summary) -> str | None:
    return None if summary.acc_interval is None else "{:.3f} to {:.3f}".format(*summary.acc_interval)
