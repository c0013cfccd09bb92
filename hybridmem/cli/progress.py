"""Progress bars on stderr, so that stdout holds the result alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hybridmem.cli import output

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress as Steps


@contextmanager
def bars(*, quiet: bool) -> Iterator[Steps]:
    """A function to report progress to. It draws one bar per step or, where stderr is no terminal, prints one line when
    a step begins; with `quiet`, nothing. A total of 0 means that the total is not known yet."""
    console = output.console(stderr=True)
    if quiet:
        yield lambda step, done, total: None
    elif not console.is_terminal:
        begun: set[str] = set()

        def line(step: str, done: int, total: int) -> None:
            if step not in begun:
                begun.add(step)
                console.print(f"{step} ...")

        yield line
    else:
        columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=False) as progress:
            tasks: dict[str, TaskID] = {}

            def advance(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step)
                progress.update(tasks[step], completed=done, total=total or None)

            yield advance
