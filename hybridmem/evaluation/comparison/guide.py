"""The results of a kept comparison as a guide shows them: a table between two marks, and a drawing beside the results.

`python -m hybridmem.evaluation.comparison.guide FOLDER GUIDE` writes both anew. Seconds are left out: a machine that
does other work beside a comparison gives none that mean anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation import plots
from hybridmem.evaluation.comparison.page import frontier_drawing
from hybridmem.evaluation.comparison.results import ResultsFolder
from hybridmem.evaluation.comparison.summary import Summary, frontier, summarise
from hybridmem.evaluation.report import render_value

DRAWING = "frontier.svg"
START, END = "<!-- results -->", "<!-- end of the results -->"
COLUMNS = {
    "acc": "acc",
    "bwt": "bwt",
    "first_night_at_the_end": "first night's at the end",
    "answer_loss_median": "answer loss, median",
    "drift_nats": "drift",
    "locality": "locality",
    "capability_change": "capability change",
    "false_answer_rate": "false answers",
    "stale_answer_rate": "stale answers",
    "trained_tokens_a_night": "trained tokens a night",
}
"""By figure: what the table calls it."""


def summaries(folder: Path) -> list[Summary]:
    """Of every result in `folder`; the one with the highest final accuracy first."""
    first = min(folder.glob("*_seed-*.json"), default=None)
    if first is None:
        raise InvalidInput(f"there are no results in {folder}: name the folder of a comparison")
    conditions = json.loads(first.read_text(encoding="utf-8"))["conditions"]
    return sorted(summarise(ResultsFolder(folder).read(conditions)), key=lambda each: -(each.mean("acc") or 0.0))


def table(found: Sequence[Summary]) -> str:
    """Markdown: a row for each setting, those on the frontier in bold, and what has no row."""
    best = {each.setting for each in frontier(found)}
    rows = [["strategy", "95% interval of acc", *COLUMNS.values()], ["---"] * (len(COLUMNS) + 2)]
    for each in found:
        name = f"`{each.setting.strategy}`" + (
            f" at {each.setting.learning_rate:g}" if each.setting.learning_rate is not None else ""
        )
        interval = "–" if each.acc_interval is None else "{:.2f} to {:.2f}".format(*each.acc_interval)
        figures = [render_value(each.mean(figure)) for figure in COLUMNS]
        rows.append([f"**{name}**" if each.setting in best else name, interval, *figures])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    absent = sorted(set(strategies.names()) - {each.setting.strategy for each in found})
    if absent:
        lines += ["", f"Not measured yet: {', '.join(f'`{name}`' for name in absent)}."]
    return "\n".join(lines)


def filled(guide: str, results: str) -> str:
    """`guide` with `results` between the marks. Raises `InvalidInput` where it has none."""
    before, start, rest = guide.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise InvalidInput(f"the guide has no place for results: put {START} and {END} into it")
    return f"{before}{START}\n{results}\n{END}{after}"


def main(folder: str, guide: str) -> None:
    found = summaries(Path(folder))
    page = Path(guide)
    page.write_text(filled(page.read_text(encoding="utf-8"), table(found)), encoding="utf-8")
    drawing = frontier_drawing(found)
    if drawing is not None:
        (Path(folder) / DRAWING).write_text(plots.standalone(drawing), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
