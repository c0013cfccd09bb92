"""The report: one HTML file that needs nothing else, with the plots, the figures and their targets, and the words.

write_report("report.html", "Five nights", blocks=[Block("What was done", "Twenty facts a night.")],
             figures=[Figure("forgetting", 0.02, target=0.05, higher_is_better=False)],
             results={"replay": replay, "naive": naive}, environment={"machine": "4 cores", "seed": 1})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem import metrics
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation import plots
from hybridmem.metrics import Matrix

_COMPARED = (
    *("acc", "learning_gain", "bwt", "forgetting", "fwt", "drift_nats", "mean_kl", "locality"),
    *("false_answer_rate", "stale_answer_rate", "deleted_answer_rate", "break_even_questions"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows, printed as they are."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One section of the report: blank lines separate paragraphs."""

    title: str
    body: str = ""
    table: Table | None = None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.body.split("\n\n") if each.strip())


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and the target that it should meet."""

    name: str
    value: float | None
    target: float | None = None
    higher_is_better: bool = True
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is no target, or nothing was measured."""
        if self.value is None or self.target is None:
            return None
        return self.value >= self.target if self.higher_is_better else self.value <= self.target

    @property
    def bound(self) -> str:
        return "" if self.target is None else f"{'≥' if self.higher_is_better else '≤'} {render_value(self.target)}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One plot with its words; `svg` is trusted markup from `plots`."""

    title: str
    caption: str
    svg: str


def write_report(
    path: Path | str,
    title: str,
    blocks: Sequence[Block],
    figures: Sequence[Figure],
    *,
    results: Mapping[str, Mapping[str, Any]] | None = None,
    routes: Sequence[Mapping[str, float]] = (),
    prompt_tokens: Mapping[str, float] | None = None,
    environment: Mapping[str, object] | None = None,
) -> Path:
    """Write the report to `path` and return it.

    `results` holds what `forgetting.run` returned, by the name that the page gives it, such as its strategy's; `routes`
    the questions that each route answered, night by night; `prompt_tokens` the mean prompt of a question, by way of
    answering, the dearest first; `environment` what the numbers depend on: machine, seed, date. All text is escaped.
    Raises `MissingExtra` without matplotlib and `InvalidInput` where `path` cannot be written.
    """
    page = render(
        title,
        blocks,
        figures,
        drawings=[*_of_results(results or {}), *_of_answers(routes, prompt_tokens or {})],
        comparison=comparison(results or {}),
        environment=environment or {},
    )
    return save(Path(path), page)


def save(path: Path, page: str) -> Path:
    """Write what `render` made to `path`, and return that. Raises `InvalidInput` where it cannot be written."""
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"cannot write the report {path}: {error.strerror}; name a file in a folder") from None
    return path


def render(
    title: str,
    blocks: Sequence[Block],
    figures: Sequence[Figure],
    *,
    drawings: Sequence[Drawing] = (),
    comparison: Table | None = None,
    environment: Mapping[str, object] | None = None,
) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("hybridmem.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["rendered"] = render_value
    return templates.get_template("report.html.jinja").render(
        title=title,
        blocks=blocks,
        figures=figures,
        drawings=drawings,
        comparison=comparison,
        environment=environment or {},
        missed=sum(figure.met is False for figure in figures),
        met=sum(figure.met is True for figure in figures),
    )


def comparison(results: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """The figures of every strategy side by side; None without results."""
    if not results:
        return None
    rows: list[tuple[object, ...]] = [
        (name.replace("_", " "), *(result.get(name) for result in results.values())) for name in _COMPARED
    ]
    rows.insert(_COMPARED.index("forgetting") + 1, ("half-life, nights", *map(_half_life, results.values())))
    for name, key in (("seconds a night", "seconds_per_night"), ("trained tokens a night", "trained_tokens_per_night")):
        rows.append((name, *(metrics.mean(result.get(key) or ()) for result in results.values())))
    return Table(("figure", *results), tuple(rows))


def render_value(value: object) -> str:
    """`value` for a reader: three digits behind the point for small numbers, groups of three for large ones.

    >>> render_value(0.12345), render_value(48210), render_value(None)
    ('0.123', '48,210', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1000:
        written = f"{value:,.0f}"
    else:
        written = f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
    return written.replace("-", "−")


def _of_results(results: Mapping[str, Mapping[str, Any]]) -> list[Drawing]:
    if not results:
        return []
    trained = {name: result["R"] for name, result in results.items() if any(result["trained_tokens_per_night"])}
    nights = [night["night"] for night in next(iter(results.values())).get("nights", ())] or None
    maps = trained or {name: result["R"] for name, result in results.items()}
    return [retention_maps(maps, nights), forgetting_curves({name: result["R"] for name, result in results.items()})]


def retention_maps(matrices: Mapping[str, Matrix], nights: Sequence[int] | None = None) -> Drawing:
    """Retention matrices side by side, by name."""
    return Drawing(
        "What each night kept",
        "Each row is the test after one night, each column the facts of one night. A full column is remembered; "
        "a column that fades downwards is forgotten.",
        plots.heat_maps(matrices, nights),
    )


def forgetting_curves(matrices: Mapping[str, Matrix]) -> Drawing:
    """A curve for each retention matrix, by name."""
    return Drawing(
        "Forgetting curves",
        "Accuracy on facts by their age, the mean over nights, in wordings that were not trained on.",
        plots.forgetting_curves({name: metrics.accuracy_by_age(R) for name, R in matrices.items()}),
    )


def _of_answers(routes: Sequence[Mapping[str, float]], prompt_tokens: Mapping[str, float]) -> list[Drawing]:
    drawings = []
    if routes:
        caption = "Where the router took its answers from, question by question."
        drawings.append(Drawing("Who answers", caption, plots.route_share(routes)))
    if prompt_tokens:
        caption = "What a question costs in prompt tokens; in brackets, what is saved against the first bar."
        drawings.append(Drawing("Prompt tokens saved", caption, plots.prompt_tokens(prompt_tokens)))
    return drawings


def _half_life(result: Mapping[str, Any]) -> object:
    """The half-life; one that was not reached is longer than the nights measured, where anything was learned."""
    measured, gained = result.get("half_life"), result.get("learning_gain")
    return f"> {len(result['R']) - 1}" if measured is None and gained is not None and gained > 0 else measured
