"""How the pages write values: dates, numbers, shares, and texts cut to a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from hybridmem.core.text.plural import counted, noun
from hybridmem.dreaming import bounds
from hybridmem.dreaming.bounds import current_name
from hybridmem.router import signals

T = TypeVar("T")

LINE = 240
"""Characters of a text in a list; the memory's own page has all of them."""


def day(value: date | datetime) -> str:
    """
    >>> day(date(2026, 3, 1))
    '1 Mar 2026'
    """
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime | None) -> str:
    return "" if value is None else f"{day(value)}, {value:%H:%M}"


def clock(value: datetime) -> str:
    return f"{value:%H:%M}"


def number(value: float) -> str:
    """
    >>> number(1234), number(0.5), number(12.5)
    ('1,234', '0.500', '12.5')
    """
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def percent(value: float) -> str:
    """
    >>> percent(0.876), percent(0.999), percent(1.0)
    ('88%', '99.9%', '100%')
    """
    shown = f"{100 * value:.0f}"
    return f"{100 * value:.1f}%" if shown == "100" and value < 1 else f"{shown}%"


def seconds(value: float) -> str:
    """
    >>> seconds(0.0123), seconds(4.2), seconds(200)
    ('12 ms', '4.2 s', '3 min 20 s')
    """
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {int(value % 60)} s"


def line(text: str, limit: int = LINE) -> str:
    """
    >>> line("two\\nlines"), line("too long", 5)
    ('two lines', 'too …')
    """
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else f"{folded[: limit - 1]}…"


def spoken(name: str) -> str:
    """
    >>> spoken("false_answer_rise")
    'false answer rise'
    """
    return name.replace("_", " ")


def figures(values: Mapping[str, T]) -> dict[str, T]:
    """A report's figures under their names of today.

    >>> figures({"new_facts": 0.9, "scale": 1.0})
    {'learning_accuracy': 0.9, 'scale': 1.0}
    """
    return {current_name(name): value for name, value in values.items()}


def figure_texts() -> dict[str, str]:
    """What each figure of a night measures, by name."""
    texts = {figure.name: figure.text for figure in (*bounds.BOUNDS, *bounds.REPORTED)}
    return texts | {bound.name: bound.text for bound in bounds.TRUTH_BOUNDS}


def signal_texts() -> dict[str, str]:
    """What each signal of the router measures, by name."""
    return {signal.name: signal.text for signal in signals.SIGNALS}


class Part(NamedTuple):
    """A piece of a skill's text."""

    text: str
    blank: bool
    """Whether it stands for a word of the task."""


def template(text: str) -> list[Part]:
    """The pieces of a text with blanks.

    >>> template("Deploy {service} now")
    [Part(text='Deploy ', blank=False), Part(text='service', blank=True), Part(text=' now', blank=False)]
    """
    pieces = re.split(r"\{(\w+)\}", text)
    return [Part(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


def plain(value: Any) -> str:
    """A value of metadata or signals, whatever it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return "none" if value is None else str(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "day": day,
    "moment": moment,
    "clock": clock,
    "number": number,
    "signed": signed,
    "percent": percent,
    "seconds": seconds,
    "line": line,
    "noun": noun,
    "counted": counted,
    "spoken": spoken,
    "figures": figures,
    "plain": plain,
    "template": template,
}
