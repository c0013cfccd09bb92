"""How the router's benchmark is printed: the ways side by side, the kinds of questions, and what the signals add."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation
from hybridmem.core.errors import MissingExtra

if TYPE_CHECKING:
    from hybridmem.evaluation.report import Table

APART = frozenset({"routes", "ahead", "kinds", "promises", "signals", "curves", "reliability", "dreams"})
"""Parts of the result that are no figures of the run."""
SHOWN = (
    *("accuracy", "coverage", "risk", "false_answer_rate", "stale_answer_rate", "deleted_answer_rate"),
    *("augrc", "ece", "ece_of_calibrated", "prompt_tokens", "seconds_p50"),
)
"""Figures that a terminal has room for; the page has all."""


def answer(call: Invocation, folder: Path | None, result: Mapping[str, Any]) -> None:
    """Print what the benchmark found, and write its page into `folder`, where there is one."""
    from hybridmem.evaluation.routing import page

    report, drawn = None, "with --out DIR the answers are kept, and a page is drawn"
    if folder is not None:
        try:
            report = str(page.write_page(folder, result))
            drawn = f"report: {report}"
        except MissingExtra as error:
            drawn = f"no report was drawn, and the answers are kept: {error}, then run this again"
    figures = {name: value for name, value in result.items() if name not in APART}
    call.answer(
        {**result, "report": report},
        _printed(page.routes_table(result, SHOWN), "the ways side by side, on the test part"),
        _printed(page.kinds_table(result), "accuracy by kind of question"),
        _printed(page.promises_table(result), "wrong answers where a risk is named"),
        _printed(page.signals_table(result), "what the signals add: Brier scores of the heads"),
        output.pairs(figures, "router"),
        output.plain(drawn, "dim"),
    )


def _printed(table: Table, title: str) -> RenderableType:
    first, *others = table.columns
    columns = [first, *(f"#{name.removesuffix(' rate')}" for name in others)]
    return output.table(columns, table.rows, title)
