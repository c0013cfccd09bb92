"""The trials of a comparison side by side, with the seeds of each taken together."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from hybridmem import metrics
from hybridmem.evaluation.comparison.results import TrialResult
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.metrics import Cell

Result = Mapping[str, Any]

FIFTH = 4
"""The night that the last one's cost is set against, counted from 0: by then nights of old and new facts have begun."""


def _night(result: Result, figure: str, night: int) -> Cell:
    values = result[figure]
    return values[night] if -len(values) <= night < len(values) else None


def _seconds_ratio(result: Result) -> Cell:
    fifth, last = _night(result, "seconds_per_night", FIFTH), _night(result, "seconds_per_night", -1)
    return last / fifth if fifth and last is not None else None


def _capability_change(result: Result) -> Cell:
    measured = result.get("capabilities")
    return measured["adapted"] - measured["base"] if measured else None


FIGURES: Mapping[str, Callable[[Result], Cell]] = {
    "acc": lambda result: result["acc"],
    "bwt": lambda result: result["bwt"],
    "forgetting": lambda result: result["forgetting"],
    "learning_gain": lambda result: result["learning_gain"],
    "first_night_at_the_end": lambda result: result["R"][-1][0],
    "answer_loss_median": lambda result: result["nights"][-1]["answer_loss_median"],
    "answer_loss_mean": lambda result: result["nights"][-1]["answer_loss_mean"],
    "drift_nats": lambda result: result["drift_nats"],
    "locality": lambda result: result["locality"],
    "capability_change": _capability_change,
    "false_answer_rate": lambda result: result["false_answer_rate"],
    "stale_answer_rate": lambda result: result["stale_answer_rate"],
    "deleted_answer_rate": lambda result: result["deleted_answer_rate"],
    "seconds_first_night": lambda result: _night(result, "seconds_per_night", 0),
    "seconds_fifth_night": lambda result: _night(result, "seconds_per_night", FIFTH),
    "seconds_last_night": lambda result: _night(result, "seconds_per_night", -1),
    "seconds_last_to_fifth": _seconds_ratio,
    "trained_tokens_a_night": lambda result: metrics.mean(result["trained_tokens_per_night"]),
}
"""Of one trial."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over seeds."""

    mean: float
    sd: Cell
    """Sample standard deviation over the seeds; None for a single one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Trials that differ in their seeds alone."""

    setting: Trial
    """Whose seed means nothing."""
    seeds: tuple[int, ...]
    figures: Mapping[str, Spread | None]
    """By the names of `FIGURES`; None where no seed measured it."""
    acc_interval: tuple[float, float] | None
    """95% bootstrap interval of the final accuracy over facts, each at its mean over the seeds."""
    R: list[list[Cell]]
    """Mean over the seeds."""
    trained: bool
    """Whether any night trained anything."""

    def mean(self, figure: str) -> Cell:
        spread = self.figures[figure]
        return spread.mean if spread else None

    @property
    def competes(self) -> bool:
        """Whether it is a way to learn the stream, and no control."""
        return self.trained and not self.setting.shuffle_labels

    def to_json(self) -> dict[str, Any]:
        settings = {name: value for name, value in self.setting.to_json().items() if name != "seed"}
        figures = {name: asdict(spread) if spread else None for name, spread in self.figures.items()}
        interval = list(self.acc_interval) if self.acc_interval else None
        return {**settings, "seeds": list(self.seeds), **figures, "acc_interval": interval, "R": self.R}


def summarise(results: Iterable[TrialResult]) -> list[Summary]:
    """One summary for all seeds of a setting, in the order in which the settings come."""
    by_setting: dict[Trial, list[TrialResult]] = {}
    for each in results:
        by_setting.setdefault(each.trial.unseeded, []).append(each)
    return [_summary(setting, each) for setting, each in by_setting.items()]


def best_rates(summaries: Sequence[Summary]) -> list[Summary]:
    """Of summaries that differ in their learning rates alone, the one with the highest final accuracy; of equal ones
    that with the least drift."""
    chosen: dict[tuple[object, ...], Summary] = {}
    for each in summaries:
        trial = each.setting
        key = (trial.strategy, trial.token_budget, trial.gate, trial.shuffle_labels)
        if key not in chosen or _worth(each) > _worth(chosen[key]):
            chosen[key] = each
    return list(chosen.values())


def frontier(summaries: Sequence[Summary]) -> list[Summary]:
    """Those that no other beats in both drift and final accuracy, the least drift first. Controls, and what answers
    from no weights, do not compete."""
    points = [
        (each, drift, acc)
        for each in summaries
        if each.competes and (drift := each.mean("drift_nats")) is not None and (acc := each.mean("acc")) is not None
    ]
    return [points[at][0] for at in metrics.pareto_frontier([(drift, acc) for _, drift, acc in points])]


def _worth(summary: Summary) -> tuple[float, float]:
    acc, drift = summary.mean("acc"), summary.mean("drift_nats")
    return (-1.0 if acc is None else acc, 0.0 if drift is None else -drift)


def _summary(setting: Trial, results: Sequence[TrialResult]) -> Summary:
    found = [each.result for each in results]
    return Summary(
        setting=setting,
        seeds=tuple(sorted(each.trial.seed for each in results)),
        figures={name: _spread(figure(each) for each in found) for name, figure in FIGURES.items()},
        acc_interval=_interval(found),
        R=[
            [metrics.mean(cells) for cells in zip_longest(*rows)]
            for rows in zip(*(each["R"] for each in found), strict=True)
        ],
        trained=any(any(each["trained_tokens_per_night"]) for each in found),
    )


def _spread(values: Iterable[Cell]) -> Spread | None:
    measured = [value for value in values if value is not None]
    if not measured:
        return None
    return Spread(statistics.fmean(measured), statistics.stdev(measured) if len(measured) > 1 else None)


def _interval(results: Sequence[Result]) -> tuple[float, float] | None:
    """Seeds are no facts: a fact counts once, with its mean over them."""
    nights = [
        [statistics.fmean(of_fact) for of_fact in zip(*(each.values() for each in of_night), strict=True)]
        for of_night in zip(*(each["accuracy_by_fact"] for each in results), strict=True)
    ]
    return metrics.bootstrap_interval(nights, seed=0) if any(nights) else None
