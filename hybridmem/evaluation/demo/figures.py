"""The figures of the demo with their targets, and the end of its story."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as RichTable

from hybridmem.core.clock import utc_now
from hybridmem.evaluation.demo.arm import Arm
from hybridmem.evaluation.demo.chapters import Deletion
from hybridmem.evaluation.demo.comparison import Comparison
from hybridmem.evaluation.demo.console import DemoConsole
from hybridmem.evaluation.economics import Economics
from hybridmem.evaluation.report import Figure
from hybridmem.memory import HybridMemory

TARGET = 0.9
NEXT = (
    "hybridmem add --from YOUR_CHAT.jsonl",
    "hybridmem dream",
    'hybridmem ask "Something that you told it?"',
)


def nights(arm: Arm, comparison: Comparison | None) -> list[Figure]:
    """What each night learned, and what was kept of the first."""
    figures = []
    for number, row in enumerate(arm.R):
        taken = len(arm.in_weights[number]) / arm.stated[number]
        figures.append(Figure(f"night {number + 1}: facts taken into the weights", taken))
        figures.append(Figure(f"night {number + 1}: new facts from the weights", row[number], TARGET))
    kept = f"first night's facts after night {len(arm.R)}"
    figures.append(Figure(f"{kept}, with replay", arm.R[-1][0], TARGET))
    if comparison:
        figures.append(Figure(f"{kept}, without replay", comparison.without_replay["R"][-1][0]))
    return figures


def changes(by_router: float, fresh: float, deletion: Deletion, refused: float, costs: Economics) -> list[Figure]:
    """What the router answered and refused, and what became of the changed fact and of the deleted memory."""
    return [
        Figure("all facts, by the route that the router chose", by_router),
        Figure("unanswerable questions refused", refused, TARGET),
        Figure("changed fact: new value, before the dream", fresh, 1.0),
        Figure("changed fact: new value, after the dream", deletion.changed, 1.0),
        _gone("changed fact: old value", deletion.stale),
        Figure("deleted memory: recalled by the weights before", deletion.recalled_before),
        _gone("deleted memory: recalled by the weights after", deletion.recalled_after),
        _gone("deleted memory: answered by any route", deletion.answered),
        _gone("deleted memory: in search or export", deletion.found),
        Figure("first night's other facts after the rebuild", deletion.others, TARGET),
        Figure("questions until a night has paid for itself, in seconds", costs.break_even_questions),
    ]


def _gone(name: str, value: float) -> Figure:
    return Figure(name, value, 0.0, higher_is_better=False)


def environment(memory: HybridMemory, seconds: float) -> dict[str, object]:
    """What the figures depend on."""
    import torch

    return {
        "date": utc_now().date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "model": memory.model.name,
        "base sha256": memory.model.sha256[:16],
        "seed": 0,
        "seconds": round(seconds),
    }


def closing(console: DemoConsole, figures: Sequence[Figure], report: Path, seconds: float) -> None:
    table = RichTable("figure", "value", "target", "", title=f"The figures of this run ({seconds:.0f} s)", box=None)
    for figure in figures:
        verdict = "" if figure.met is None else "[green]met" if figure.met else "[red]missed"
        table.add_row(figure.name, "–" if figure.value is None else f"{figure.value:.2f}", figure.bound, verdict)
    console.console.print(table)
    console.console.print(f"\nThe report, with plots: [bold]{report}", soft_wrap=True)
    console.console.print("\nTry it on your own data:")
    for command in NEXT:
        console.console.print(f"  {command}", highlight=False)
