"""The page of a comparison: its table, retention matrices, forgetting curves, and retention against drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybridmem.evaluation import plots, report
from hybridmem.evaluation.comparison.summary import FIGURES, Summary, best_rates, frontier
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.evaluation.conditions import Conditions
from hybridmem.evaluation.report import Block, Drawing, Table

PAGE = "report.html"


def write_page(
    folder: Path, summaries: Sequence[Summary], conditions: Conditions, nights: Sequence[int] | None = None
) -> Path:
    """Write `PAGE` into `folder` and return its path: one file that needs nothing else.

    Of several learning rates, the matrices and curves show the one that kept the most. Raises `MissingExtra` without
    matplotlib."""
    shown = best_rates(summaries)
    names = _short_labels(summaries)
    trained = {names[each.setting]: each.R for each in shown if each.trained}
    page = report.render(
        "Forgetting, strategy by strategy",
        [Block("The table", _HOW_TO_READ, _table(summaries))],
        [],
        drawings=[
            *([report.retention_maps(trained, nights)] if trained else []),
            report.forgetting_curves({names[each.setting]: each.R for each in shown}),
            *_frontier(summaries),
        ],
        environment={
            "model": conditions["model"],
            "base": conditions["base_sha256"],
            "stream": conditions["stream_sha256"],
            "recipe": conditions["recipe"]["name"],
            "version": conditions["version"],
        },
    )
    return report.save(folder / PAGE, page)


_HOW_TO_READ = """Each figure is the mean over the seeds; with more than one, ± is their sample standard deviation. The
interval of the final accuracy is a bootstrap over facts, each at its mean over the seeds.

Of several learning rates of one strategy, the drawings show the one with the highest final accuracy."""


def _table(summaries: Sequence[Summary]) -> Table:
    columns = ("setting", "seeds", "acc, 95% interval", *(name.replace("_", " ") for name in FIGURES))
    rows = [
        (
            each.setting.label,
            len(each.seeds),
            "–" if each.acc_interval is None else "{:.3f} to {:.3f}".format(*each.acc_interval),
            *(_rendered(each, name) for name in FIGURES),
        )
        for each in summaries
    ]
    return Table(columns, tuple(rows))


def _rendered(summary: Summary, figure: str) -> str:
    spread = summary.figures[figure]
    if spread is None:
        return report.render_value(None)
    mean = report.render_value(spread.mean)
    return mean if spread.sd is None else f"{mean} ± {report.render_value(spread.sd)}"


def _short_labels(summaries: Sequence[Summary]) -> dict[Trial, str]:
    """What a drawing has room for: without the settings that all trained ones share."""
    trained = [each.setting for each in summaries if each.trained]
    shared: dict[str, Any] = {
        name: None
        for name in ("learning_rate", "token_budget", "gate")
        if len({getattr(setting, name) for setting in trained}) == 1
    }
    return {each.setting: replace(each.setting, **shared).label for each in summaries}


def frontier_drawing(summaries: Sequence[Summary]) -> str | None:
    """Retention against drift, as SVG; None where nothing competes. Raises `MissingExtra` without matplotlib."""
    best, names = frontier(summaries), _short_labels(summaries)
    if not best:
        return None
    points = {
        each.setting: plots.Point(each.setting.strategy, names[each.setting], drift, acc)
        for each in summaries
        if each.competes and (drift := each.mean("drift_nats")) is not None and (acc := each.mean("acc")) is not None
    }
    return plots.frontier(
        list(points.values()),
        [points[each.setting] for each in best],
        "drift, nats per token",
        "final accuracy",
    )


def _frontier(summaries: Sequence[Summary]) -> list[Drawing]:
    drawn = frontier_drawing(summaries)
    if drawn is None:
        return []
    caption = (
        "What is left of all facts after the last night, against how far the model has moved from its base on general "
        "text. No strategy lies above the line: those on it trade one for the other."
    )
    return [Drawing("Retention against drift", caption, drawn)]
