"""What the demo prints, and keeps for its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table as RichTable

from hybridmem.core.records import Answer
from hybridmem.evaluation.report import Block, Table
from hybridmem.importers import IntactTurns, read

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress
    from hybridmem.memory import HybridMemory


class DemoConsole:
    """Says things in the terminal, and keeps them for the report."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.blocks: list[Block] = []

    def say(self, title: str, body: str, table: Table | None = None) -> None:
        self.console.rule(f"[bold]{title}", align="left")
        self.console.print(body, highlight=False)
        if table:
            printed = RichTable(*table.columns, box=None, padding=(0, 2, 0, 0))
            for row in table.rows:
                printed.add_row(*map(str, row))
            self.console.print(printed)
        self.console.print()
        self.blocks.append(Block(title, body, table))

    @contextmanager
    def bars(self, title: str) -> Iterator[Progress]:
        """Progress bars, one for each step of a dream."""
        columns = (TextColumn("  {task.description:<10}"), BarColumn(30), TextColumn("{task.completed}/{task.total}"))
        with Bars(*columns, TimeElapsedColumn(), console=self.console, transient=True) as progress:
            tasks: dict[str, Any] = {}
            self.console.print(f"[dim]{title}[/dim]")

            def advance(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step, total=total)
                progress.update(tasks[step], completed=done, total=total)

            yield advance

    def add(self, memory: HybridMemory, path: Path) -> int:
        """Import one day as a user would; returns its turns."""
        turns = IntactTurns(read(path))
        added = memory.add_turns(turns)
        for line in turns.broken:
            self.console.print(f"[yellow]{path.name}, line {line.number}: {line.reason}")
        self.console.print(f"[dim]$ hybridmem add --from examples/days/{path.name}    # {len(added)} turns")
        return len(added)


def answers_table(questions: Sequence[str], answers: Sequence[Answer]) -> Table:
    rows = tuple(
        (q, a.text, a.route, f"{a.confidence:.2f}", a.prompt_tokens) for q, a in zip(questions, answers, strict=True)
    )
    return Table(("question", "answer", "route", "confidence", "prompt tokens"), rows)
