"""The page of a comparison: its table, retention matrices, forgetting curves, and retention against drift."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hybridmem.evaluation import plots, report
from hybridmem.evaluation.comparison.results import Conditions
from hybridmem.evaluation.comparison.summary import FIGURES, Summary, best_rates, frontier
from hybridmem.evaluation.report import Block, Drawing, Table

PAGE = "report.html"


def write_page(
    folder: Path, summaries: Sequence[Summary], conditions: Conditions, nights: Sequence[int] | None = None
) -> Path:
    """Write `PAGE` into `folder` and return its path: one file that needs nothing else.

    Of several learning rates, the matrices and curves show the one that kept the most. Raises `MissingExtra` without
    matplotlib."""
    shown = best_rates(summaries)
    trained = {each.setting.label: each.R for each in shown if each.trained}
    page = report.render(
        "Forgetting, strategy by strategy",
        [Block("The table", _HOW_TO_READ, _table(summaries))],
        [],
        drawings=[
            *([report.retention_maps(trained, nights)] if trained else []),
            report.forgetting_curves({each.setting.label: each.R for each in shown}),
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


def _frontier(summaries: Sequence[Summary]) -> list[Drawing]:
    best = frontier(summaries)
    if not best:
        return []
    points = {each.setting: point for each in summaries if each.competes and (point := _point(each)) is not None}
    drawn = plots.frontier(
        list(points.values()),
        [points[each.setting] for each in best],
        "drift, nats per token",
        "final accuracy",
    )
    caption = (
        "What is left of all facts after the last night, against how far the model has moved from its base on general "
        "text. No strategy lies above the line: those on it trade one for the other."
    )
    return [Drawing("Retention against drift", caption, drawn)]


def _point(summary: Summary) -> plots.Point | None:
    drift, acc = summary.mean("drift_nats"), summary.mean("acc")
    if drift is None or acc is None:
        return None
    return plots.Point(summary.setting.strategy, summary.setting.label, drift, acc)
