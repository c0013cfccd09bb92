"""Plots as SVG fragments that live inside an HTML page: no script, no network, and colours that are the page's own.

Every colour is a CSS variable of the page (``--ink``, ``--line``, ``--heat``, ``--series-1`` ...), so that one drawing
serves the light and the dark theme. Drawn by matplotlib, which the extra `plots` installs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from zlib import crc32

from hybridmem.core.errors import MissingExtra
from hybridmem.metrics import Bin, Cell, Matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _LINE, _HEAT, _ON_HEAT = "#010101", "#020202", "#030303", "#040404"
_SERIES = ("#050501", "#050502", "#050503", "#050504", "#050505", "#050506")
_VARIABLES = {_INK: "--ink", _LINE: "--line", _HEAT: "--heat", _ON_HEAT: "--on-heat"} | {
    colour: f"--series-{number}" for number, colour in enumerate(_SERIES, start=1)
}
"""Stand-ins that matplotlib writes into the drawing, and what the page is to see instead."""
_MARKERS = ("o", "s", "^", "D", "v", "P")
_LEGEND_ROW = 0.22
"""Inches of a legend's row."""
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "hybridmem",
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def require() -> None:
    """Raise `MissingExtra` where plots cannot be drawn: before a run of minutes, and not at its end."""
    if find_spec("matplotlib") is None:
        raise MissingExtra("the report's plots need matplotlib: pip install 'hybridmem[plots]'")


@contextmanager
def _style() -> Iterator[None]:
    """Within it, whatever matplotlib makes has the page's colours; outside, its settings are untouched."""
    require()
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def heat_maps(matrices: Mapping[str, Matrix], nights: Sequence[int] | None = None) -> str:
    """Retention matrices one below the other on a phone and side by side elsewhere: one SVG for each, by title.

    Row i is the test after night i, column j the facts of night j; cells are shaded by their accuracy.
    """
    return "".join(f'<div class="plot">{heat_map(R, title, nights)}</div>' for title, R in matrices.items())


@_style()
def heat_map(R: Matrix, title: str, nights: Sequence[int] | None = None) -> str:
    """One retention matrix, lower triangle: what was measured before training is left out."""
    labels = [str(night) for night in nights or range(1, len(R) + 1)]
    written = len(R) <= 10
    cell = 0.42 if written else 0.24
    figure, axes = _figure(len(R) * cell + 1.0, len(R) * cell + 0.9)
    for i, row in enumerate(R):
        for j, value in enumerate(row[: i + 1]):
            if value is None:
                continue
            axes.add_patch(_square(j, i, alpha=0.04 + 0.96 * value))
            if written:
                colour = _ON_HEAT if value > 0.55 else _INK
                axes.text(j, i, _short(value), ha="center", va="center", color=colour, fontsize=9)
    axes.set(xlim=(-0.5, len(R) - 0.5), ylim=(len(R) - 0.5, -0.5), aspect="equal", title=title)
    step = 1 if written else 5
    axes.set_xticks(range(0, len(R), step), labels[::step])
    axes.set_yticks(range(0, len(R), step), labels[::step])
    axes.set(xlabel="facts of night", ylabel="after night")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    last = [f"{value:.2f}" for value in R[-1] if value is not None]
    return _svg(figure, f"Retention matrix, {title}: after the last night the nights stand at {', '.join(last)}")


@_style()
def forgetting_curves(curves: Mapping[str, Sequence[Cell]], ylabel: str = "accuracy") -> str:
    """A line for each strategy: accuracy against the age of the facts, in nights."""
    figure, axes = _figure(5.2, 3.4 + _LEGEND_ROW * max(0, len(curves) - 4) / 2)
    for number, (name, curve) in enumerate(curves.items()):
        points = [(age, value) for age, value in enumerate(curve) if value is not None]
        _line(axes, number, name, points)
    longest = max((len(curve) for curve in curves.values()), default=1)
    axes.set(xlim=(0, max(1, longest - 1)), ylim=(0, 1), xlabel="nights since the facts were stated", ylabel=ylabel)
    axes.set_xticks(range(0, longest, max(1, longest // 8)))
    axes.grid(axis="y")
    figure.legend(loc="outside upper left", ncols=2, fontsize=10, handlelength=1.6, columnspacing=1.2)
    spoken = "; ".join(
        f"{name} from {measured[0]:.2f} to {measured[-1]:.2f}"
        for name, curve in curves.items()
        if (measured := [value for value in curve if value is not None])
    )
    return _svg(figure, f"Forgetting curves by age of the facts: {spoken}")


@_style()
def risk_coverage(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A line for each way to answer: the share of its answers that is wrong against the share of the questions that is
    answered, as points (coverage, risk), the surest answers first."""
    figure, axes = _figure(5.2, 3.4 + _LEGEND_ROW * max(0, len(curves) - 4) / 2)
    for number, (name, points) in enumerate(curves.items()):
        _line(axes, number, name, points, markersize=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of the questions answered", ylabel="share of the answers wrong")
    axes.grid(axis="both")
    figure.legend(loc="outside upper left", ncols=2, fontsize=10, handlelength=1.6, columnspacing=1.2)
    spoken = "; ".join(
        f"{name} answers {points[-1][0]:.0%} and {points[-1][1]:.0%} of these wrongly"
        for name, points in curves.items()
        if points
    )
    return _svg(figure, f"Risk against coverage: {spoken}")


@_style()
def reliability(diagrams: Mapping[str, Sequence[Bin]]) -> str:
    """A line for each way to answer: how many answers of a confidence are right; on the diagonal, as many as that."""
    figure, axes = _figure(4.2, 3.9)
    axes.plot([0, 1], [0, 1], color=_LINE, linewidth=1.2)
    for number, (name, bins) in enumerate(diagrams.items()):
        _line(axes, number, name, [(each.confidence, each.accuracy) for each in bins])
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="confidence", ylabel="share right")
    axes.grid(axis="both")
    figure.legend(loc="outside upper left", ncols=2, fontsize=10, handlelength=1.6, columnspacing=1.2)
    spoken = "; ".join(
        f"{name}, the surest bin at {bins[-1].confidence:.2f} is right in {bins[-1].accuracy:.2f}"
        for name, bins in diagrams.items()
        if bins
    )
    return _svg(figure, f"Reliability diagram: {spoken}")


@dataclass(frozen=True, slots=True)
class Point:
    """One way of learning, by what it costs and what is kept."""

    series: str
    """Points of one series look alike and share a line of the legend."""
    label: str
    cost: float
    kept: float


@_style()
def frontier(points: Sequence[Point], best: Sequence[Point], xlabel: str, ylabel: str) -> str:
    """Points by cost and what is kept; the `best` of them, the cheapest first, carry their labels and are joined by the
    line that no other point lies above."""
    series = list(dict.fromkeys(point.series for point in points))
    figure, axes = _figure(5.2, 3.6 + _LEGEND_ROW * max(0, len(series) - 4) / 2)
    for number, name in enumerate(series):
        of_series = [point for point in points if point.series == name]
        axes.plot(
            [point.cost for point in of_series],
            [point.kept for point in of_series],
            color=_colour(number),
            marker=_marker(number),
            linestyle="none",
            label=name,
            clip_on=False,
        )
    axes.step([point.cost for point in best], [point.kept for point in best], where="post", color=_INK, linewidth=1.2)
    low, high = axes.get_xlim()
    for point in best:
        # Towards the middle, where there is room.
        side, shift = ("left", 5) if point.cost < (low + high) / 2 else ("right", -5)
        axes.annotate(
            point.label, (point.cost, point.kept), xytext=(shift, 5), textcoords="offset points", ha=side, fontsize=9
        )
    axes.set(ylim=(0, 1.05), xlabel=xlabel, ylabel=ylabel)
    axes.grid(axis="both")
    figure.legend(loc="outside upper left", ncols=2, fontsize=10, handlelength=1.6, columnspacing=1.2)
    spoken = "; ".join(f"{point.label} {point.kept:.2f} at {point.cost:.3f}" for point in best)
    return _svg(figure, f"{ylabel} against {xlabel}; the frontier: {spoken}")


@_style()
def route_share(nights: Sequence[Mapping[str, float]]) -> str:
    """Stacked bars, one a night: the share of questions that each route answered. Takes counts or shares."""
    routes = list(dict.fromkeys(route for night in nights for route in night))
    shares = {route: [night.get(route, 0) / (sum(night.values()) or 1) for night in nights] for route in routes}
    figure, axes = _figure(5.2, 3.2)
    floor = [0.0] * len(nights)
    at = range(1, len(nights) + 1)
    for number, route in enumerate(routes):
        axes.bar(at, shares[route], bottom=floor, width=0.72, color=_colour(number), label=route)
        floor = [low + height for low, height in zip(floor, shares[route], strict=True)]
    axes.set(ylim=(0, 1), xlim=(0.4, max(3, len(nights)) + 0.6), xlabel="night", ylabel="share of questions")
    axes.set_xticks(range(1, len(nights) + 1, max(1, len(nights) // 8)))
    figure.legend(loc="outside upper left", ncols=4, fontsize=10, handlelength=1, columnspacing=1.2)
    spoken = ", ".join(f"{route} {shares[route][-1]:.0%}" for route in routes)
    return _svg(figure, f"Share of questions by route, on the last night: {spoken}")


@_style()
def prompt_tokens(tokens: Mapping[str, float]) -> str:
    """Bars: mean prompt tokens a question, by how it is answered; the saving against the first stands beside each."""
    names, values = list(tokens), list(tokens.values())
    figure, axes = _figure(5.2, 0.9 + 0.42 * len(names))
    axes.barh(names, values, height=0.62, color=_SERIES[0])
    for row, value in enumerate(values):
        saved = f"{value:,.0f}" + (f" (−{1 - value / values[0]:.0%})" if value < values[0] else "")
        axes.annotate(saved, (value, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=10)
    axes.set(xlim=(0, max(values, default=1) * 1.3 or 1), xlabel="prompt tokens a question")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    spoken = ", ".join(f"{name} {value:,.0f}" for name, value in tokens.items())
    return _svg(figure, f"Mean prompt tokens a question: {spoken}")


# drawing


def _colour(number: int) -> str:
    return _SERIES[number % len(_SERIES)]


def _marker(number: int) -> str:
    """Another one for each round of the colours, so that no two of many series look alike."""
    return _MARKERS[(number + number // len(_SERIES)) % len(_MARKERS)]


def _line(axes: Axes, number: int, name: str, points: Sequence[tuple[float, float]], markersize: float = 5) -> None:
    axes.plot(
        [x for x, _ in points],
        [y for _, y in points],
        color=_colour(number),
        marker=_marker(number),
        markersize=markersize,
        linewidth=2,
        label=name,
        clip_on=False,
    )


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _short(value: float) -> str:
    """Two digits behind the point, as a cell has room for: ``.95``, and ``1`` for one."""
    return f"{value:.2f}".removeprefix("0").replace("1.00", "1").replace(".00", "0")


def _square(x: int, y: int, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=_HEAT, alpha=alpha, linewidth=0)


def standalone(svg: str) -> str:
    """A drawing as a file of its own, where no page says what its colours are: those of a light page."""
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(f"var({variable})", colour)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) if "xmlns=" not in svg else svg


def _svg(figure: Figure, description: str) -> str:
    """`figure` as one ``<svg>`` element that scales to its container, with ids that no other drawing has."""
    buffer = io.StringIO()
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        drawn = drawn.replace(colour, f"var({variable})")
    prefix = f"plot{crc32(description.encode()):08x}-"
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}", drawn)
    size = re.search(r'viewBox="0 0 ([\d.]+)', drawn)
    widest = f"{float(size.group(1)):.0f}pt" if size else "100%"
    head = f'<svg role="img" aria-label="{escape(description)}" style="width:100%;max-width:{widest};height:auto" '
    return head + re.sub(r' (width|height)="[\d.]+pt"', "", drawn[len("<svg") :].strip(), count=2)
