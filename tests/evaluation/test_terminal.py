"""The terminal's view of a retention matrix."""

from __future__ import annotations

import io

from rich.console import Console

from hybridmem.evaluation import terminal

R = [[1.0, 0.0, None], [0.5, 0.9, None], [0.25, None, 1.0]]


def printed(renderable, **options) -> str:
    console = Console(file=io.StringIO(), width=80, **options)
    console.print(renderable)
    return console.file.getvalue()


def test_the_lower_triangle_is_shown_and_nothing_above_it():
    lines = [line.split() for line in printed(terminal.retention_table(R, nights=[1, 2, 4])).splitlines()]
    assert ["after", "1", "2", "4"] in lines
    assert ["1", "1.00"] in lines and ["2", "0.50", "0.90"] in lines and ["4", "0.25", "·", "1.00"] in lines


def test_cells_are_shaded_by_accuracy():
    coloured = printed(terminal.retention_table(R), force_terminal=True, color_system="truecolor")
    assert "48;2;20;110;80" in coloured and "48;2;85;85;60" in coloured


def test_sixteen_nights_fit_into_a_hundred_columns():
    full = [[1.0] * 16 for _ in range(16)]
    console = Console(file=io.StringIO(), width=100)
    console.print(terminal.retention_table(full))
    assert console.file.getvalue().count("1.00") == 16 * 17 / 2
