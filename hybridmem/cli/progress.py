"""Progress bars on stderr, so that stdout holds the result alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hybridmem.cli import output
from hybridmem.core.progress import ProgressLines

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress as Steps


@contextmanager
def bars(*, quiet: bool) -> Iterator[Steps]:
    """A function to report progress to. It draws one bar per step with the time that is left or, where stderr is no
    terminal, prints `ProgressLines`; with `quiet`, nothing. A total of 0 means that the total is not known yet."""
    console = output.console(stderr=True)
    if quiet:
        yield lambda step, done, total: None
    elif not console.is_terminal:
        yield ProgressLines(console.print)
    else:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=False) as progress:
            tasks: dict[str, TaskID] = {}

            def advance(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step)
                progress.update(tasks[step], completed=done, total=total or None)

            yield advance
