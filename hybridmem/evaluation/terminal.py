"""The retention matrix and the forgetting curves for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hybridmem.metrics import Cell, Matrix

if TYPE_CHECKING:
    from rich.table import Table

_BARS = "▁▂▃▄▅▆▇█"
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


def curves_table(curves: Mapping[str, Sequence[Cell]], title: str = "Forgetting curves") -> Table:
    """One row for each strategy: accuracy by age of the facts as a `sparkline`, with its first and last value."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, caption="accuracy by nights since the facts were told", box=box.SIMPLE_HEAD)
    for column, justify in (("strategy", "left"), ("new", "right"), ("by age", "left"), ("oldest", "right")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name, curve in curves.items():
        measured = [value for value in curve if value is not None]
        ends = (_number(measured[0]), _number(measured[-1])) if measured else ("", "")
        table.add_row(name, ends[0].strip(), sparkline(curve), ends[1].strip())
    return table


def sparkline(values: Sequence[Cell]) -> str:
    """One character for each share from 0 to 1; a dot where nothing was measured.

    >>> sparkline([1.0, 0.5, None, 0.0])
    '█▅·▁'
    """
    return "".join(
        "·" if value is None else _BARS[min(len(_BARS) - 1, max(0, int(value * len(_BARS))))] for value in values
    )


def _number(value: Cell) -> str:
    return "  ·  " if value is None else f"{value:.2f} ".rjust(5)


def _shade(value: Cell) -> str:
    if value is None:
        return "dim"
    red, green, blue = (round(low + (high - low) * value) for low, high in zip(_FADED, _KEPT, strict=True))
    return f"white on rgb({red},{green},{blue})"
