"""The page of a router benchmark: what was aimed at, the ways side by side, the curves, and what the signals add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybridmem import metrics
from hybridmem.evaluation import plots, report
from hybridmem.evaluation.report import Block, Drawing, Figure, Table
from hybridmem.evaluation.routing.figures import FIGURES
from hybridmem.evaluation.routing.outcome import ROUTER
from hybridmem.evaluation.routing.policies import ORACLE
from hybridmem.evaluation.routing.question import KINDS

PAGE = "report.html"
SINGLE = ("weights", "retrieval", "both")
"""The routes that the router chooses among, each taken always."""
COSTS = ("ece_of_calibrated", "prompt_tokens", "seconds_p50", "seconds_p95")


def write_page(folder: Path, result: Mapping[str, Any]) -> Path:
    """Write `PAGE` into `folder` from what `suites.router.run` returned, and return its path: one file that needs
    nothing else. Raises `MissingExtra` without matplotlib."""
    bins = {
        name: [metrics.Bin(**each) for each in found]
        for name, found in result["reliability"].items()
        if name in (ROUTER, "retrieval", "weights")
    }
    page = report.render(
        "The router, question by question",
        [
            Block("The ways side by side", _HOW_TO_READ, routes_table(result)),
            Block("By kind of question", "Accuracy. " + _kinds(), kinds_table(result)),
            Block("The promise", _PROMISE, promises_table(result)),
            Block("What the signals add", _SIGNALS, signals_table(result)),
        ],
        targets(result),
        drawings=[
            Drawing(
                "Risk against coverage",
                "How many answers are wrong when only the surest are given. A line ends where the way answers no more.",
                plots.risk_coverage(result["curves"]),
            ),
            Drawing(
                "Reliability",
                "Answers in ten bins of as many each, by their confidence. On the diagonal, as many are right as that.",
                plots.reliability(bins),
            ),
        ],
        environment={
            **{name: result[name] for name in ("model", "base_sha256", "recipe", "version", "questions", "facts")},
            "parts": ", ".join(f"{name} {questions}" for name, questions in result["parts"].items()),
            "milliseconds beside the search and the model": _overhead(result["overhead"]),
            "nights": f"{result['nights']} for each seed of {', '.join(map(str, result['seeds']))}",
        },
    )
    return report.save(folder / PAGE, page)


def _overhead(found: Mapping[str, Any]) -> str:
    times = (f"{name} {found[f'{name}_ms_p50']:.1f} ({found[f'{name}_ms_p95']:.1f})" for name in ("processor", "wall"))
    return f"median (95th percentile) of {found['of']}: {', '.join(times)}" if found["of"] else "not measured"


_HOW_TO_READ = """All figures are of the test part, which nothing was fitted or chosen on; intervals are bootstraps over
facts. The refitted router has the same signals, and heads that were fitted on the part `fit`. The two thresholds choose
between the weights and retrieval. The oracle takes a right route wherever there is one."""
_SIGNALS = """The heads are refitted on the part `fit` for each row. Alone: the Brier score of heads that see nothing
else. Worth: by how much the score is worse without the signal. A signal that always has the same value on this base is
worth nothing here."""


_PROMISE = """How many questions are answered wrongly where a risk is named. The parts fit and dev calibrate, the test
part is asked. Where the mix shifts, only answerable questions calibrate and come first; unanswerable ones follow."""


def _kinds() -> str:
    return " ".join(f"{kind}: {what}" for kind, what in KINDS.items())


def targets(result: Mapping[str, Any]) -> list[Figure]:
    """The router's figures beside what a router should reach."""
    routes = result["routes"]
    router = routes[ROUTER]
    best = max(_value(routes[name], "accuracy") or 0.0 for name in SINGLE)
    oracle = _value(routes[ORACLE], "accuracy") or 0.0
    tokens = routes["retrieval"]["prompt_tokens"]
    return [
        Figure("accuracy", _value(router, "accuracy"), best + 0.02, note="2 points above the best single route"),
        Figure("accuracy, of the oracle's", _value(router, "accuracy"), oracle - 0.03, note="within 3 points"),
        Figure(
            "false answers",
            _value(router, "false_answer_rate"),
            _value(routes["retrieval"], "false_answer_rate"),
            False,
            note="no more than always retrieving",
        ),
        Figure("stale answers", _value(router, "stale_answer_rate"), 0.01, False),
        Figure("deleted answers", _value(router, "deleted_answer_rate"), 0.01, False),
        Figure("prompt tokens", router["prompt_tokens"], 0.4 * tokens, False, note="60% fewer than always retrieving"),
        Figure(
            "median seconds",
            router["seconds_p50"],
            routes["retrieval"]["seconds_p50"],
            False,
            note="no more than always retrieving",
        ),
        Figure("calibration error", _value(router, "ece"), 0.05, False),
        Figure(
            "milliseconds of the router",
            result["overhead"]["processor_ms_p50"],
            2.0,
            False,
            note="median processor time beside the search and the model",
        ),
    ]


def routes_table(result: Mapping[str, Any], figures: Sequence[str] = (*FIGURES, *COSTS)) -> Table:
    """A row for each way with these figures, the accuracy first with its interval, and how far the router is ahead."""
    others = [name for name in figures if name != "accuracy"]
    names = (name.replace("_", " ") for name in others)
    columns = ("way", "accuracy", "95% interval", "router ahead", "95% interval of that", *names)
    level = {"value": None, "low": None, "high": None}
    rows = [
        (
            way,
            _value(found, "accuracy"),
            interval(found["accuracy"]),
            result["ahead"].get(way, level)["value"],
            interval(result["ahead"].get(way, level)),
            *(found[name] if name in COSTS else _value(found, name) for name in others),
        )
        for way, found in result["routes"].items()
    ]
    return Table(columns, tuple(rows))


def kinds_table(result: Mapping[str, Any]) -> Table:
    """A row for each kind of question with the accuracy of every way."""
    ways = tuple(result["routes"])
    rows = [(kind, found["of"], *(found[way] for way in ways)) for kind, found in result["kinds"].items()]
    return Table(("kind", "questions", *ways), tuple(rows))


def promises_table(result: Mapping[str, Any]) -> Table:
    """A row for each risk, stream and feedback: how many answers are wrong, and how many chance allows."""
    columns = ("risk", "stream", "feedback", "asked", "answered", "wrong", "by chance at most", "holds", "feasible")
    named = ("risk", "stream", "feedback", "asked", "answered", "wrong", "bound", "holds", "feasible")
    return Table(columns, tuple(tuple(row[name] for name in named) for row in result["promises"]))


def signals_table(result: Mapping[str, Any]) -> Table:
    """A row for each signal, after all and none of them."""
    columns = ("signal", "alone, test", "left out, test", "accuracy without", "worth, dev", "worth, test", "interval")
    rows: list[tuple[object, ...]] = []
    for row in result["signals"]:
        if "worth" not in row:
            rows.append((row["signal"], row["test"]["brier"], None, row["test"]["accuracy"], None, None, ""))
        elif not row["varies"]:
            rows.append((row["signal"], None, None, None, None, None, "never varies"))
        else:
            worth, without = row["worth"], row["left_out"]["test"]
            alone = row["alone"]["test"]["brier"]
            figures = (alone, without["brier"], without["accuracy"], worth["dev"], worth["test"])
            rows.append((row["signal"], *figures, interval(worth)))
    return Table(columns, tuple(rows))


def interval(figure: Mapping[str, Any]) -> str:
    """The bounds of a figure, as people read them."""
    if figure["low"] is None:
        return report.render_value(None)
    return f"{figure['low']:.3f} to {figure['high']:.3f}".replace("-", "−")


def _value(found: Mapping[str, Any], name: str) -> float | None:
    value: float | None = found[name]["value"]
    return value
