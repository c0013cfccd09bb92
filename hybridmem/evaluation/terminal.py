"""The retention matrix for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hybridmem.metrics import Cell, Matrix

if TYPE_CHECKING:
    from rich.table import Table

_FADED, _KEPT = (150, 60, 40), (20, 110, 80)
"""Background of a cell at accuracy 0 and 1 (red, green, blue); white is readable on all between."""


def retention_table(R: Matrix, nights: Sequence[int] | None = None, title: str = "Retention") -> Table:
    """R as a table: rows after each night, columns the facts of each night, cells shaded by accuracy.

    The numbers carry the meaning: without colour the table reads the same.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    labels = [str(night) for night in nights or range(1, len(R) + 1)]
    table = Table(title=title, caption="columns: facts of night · rows: after night", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("after", justify="right", no_wrap=True)
    for label in labels:
        table.add_column(label, justify="center", no_wrap=True)
    for i, row in enumerate(R):
        cells = [Text(_number(row[j]), style=_shade(row[j])) if j <= i else Text("") for j in range(len(row))]
        table.add_row(labels[i], *cells)
    return table


def _number(value: Cell) -> str:
    return "  ·  " if value is None else f"{value:.2f} ".rjust(5)


def _shade(value: Cell) -> str:
    if value is None:
        return "dim"
    red, green, blue = (round(low + (high - low) * value) for low, high in zip(_FADED, _KEPT, strict=True))
    return f"white on rgb({red},{green},{blue})"
