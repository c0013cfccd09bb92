"""What a command prints: one JSON object for programs, tables for people.

Texts may come from anyone, so control characters and rich's markup in them never reach the terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import pydoc
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hybridmem.core.records import to_json

PIPED_WIDTH = 200
"""Columns if the output is not a terminal: wide enough that an id never wraps."""
CELL = 300
"""Characters of a text in a table; `hybridmem show ID` prints all of them."""


class _Console(Console):
    """Leaves a closed pipe to the command's own exit code; rich would exit with 1, which here means "no"."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False, markup: bool = False) -> Console:
    """The present standard output (or error). `markup` is only for callers that print nothing but their own words."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return _Console(file=stream, width=width, markup=markup, emoji=False, highlight=False)


def paged(console: Console, rendered: Iterable[RenderableType]) -> None:
    """Print `rendered`; on a terminal, what is taller than the screen goes through the user's PAGER (else less)."""
    if not console.is_terminal:
        for each in rendered:
            console.print(each)
        return
    with console.capture() as captured:
        for each in rendered:
            console.print(each)
    text = captured.get()
    if text.count("\n") < console.height:
        console.file.write(text)
        return
    # For less: colours as they are, no second screen.
    os.environ.setdefault("LESS", "RX")
    pydoc.pager(text)


def print_json(record: Any) -> None:
    """`record` as one JSON object on one line of stdout, in ASCII so that any terminal and locale can carry it."""
    print(json.dumps(to_json(record)), flush=True)  # noqa: T201


def plain(text: str, style: str = "", *, limit: int | None = None) -> Text:
    """`text` for a terminal: control characters escaped, and cut with an ellipsis after `limit` characters."""
    if limit is not None:
        text = " ".join(text.split())
        text = text if len(text) <= limit else f"{text[: limit - 1]}…"
    escaped = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)
    return Text(escaped, style=style)


def render_value(value: Any) -> str:
    """A value as a person reads it: times to the minute, floats with three figures after the point."""
    if value is None or (isinstance(value, Mapping | Sequence) and not value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Mapping):
        return "  ".join(f"{key} {render_value(each)}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(render_value, value))
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A plain table of `rows`; a column whose name starts with ``#`` is aligned right."""
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(plain(render_value(cell), limit=CELL) for cell in row))
    return made


def fields(record: Any) -> dict[str, Any]:
    """A record's fields by name; unlike in `to_json`, times stay times."""
    return {each.name: getattr(record, each.name) for each in dataclasses.fields(record)}


def pairs(values: Mapping[str, Any], title: str | None = None) -> Table:
    """Names and values, one per line; a nested mapping becomes lines named ``outer.inner``."""
    made = Table(box=None, show_header=False, title=title, title_justify="left", title_style="bold", pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in _flat(values):
        made.add_row(plain(name), plain(render_value(value)))
    return made


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
