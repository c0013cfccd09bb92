"""What the mechanisms of `hybridmem.running.rules` are for: each beside itself without the part that matters.

A behaviour is a small task of `hybridmem.evaluation.associative_recall`, the mechanism, and what it is compared with,
on the same pairs. What is claimed of each was written down before the run; thresholds hold for the mean over seeds.
"""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import torch

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation import associative_recall as tasks
from hybridmem.evaluation.associative_recall import Task
from hybridmem.running.rules.base import Rule
from hybridmem.running.rules.bdh import BDH
from hybridmem.running.rules.caching import Caching
from hybridmem.running.rules.continuum import Continuum
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.omega import Omega
from hybridmem.running.rules.random_features import RandomFeatures
from hybridmem.running.rules.ridge import Ridge
from hybridmem.running.rules.titans import Titans
from hybridmem.running.rules.ttt_linear import TTTLinear
from hybridmem.running.rules.ttt_mlp import TTTMLP

SEEDS = (0, 1, 2)
RATES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""What the best rate of a rival is chosen from, seed by seed: the rival's favour."""
PLAIN_RIDGE = Ridge(keep=1.0, ridge=1e-4)
"""The best linear memory of everything."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One rule on a behaviour's task; of several, the best by seed."""

    name: str
    rules: tuple[Rule[Any], ...]
    at_least: float | None = None
    at_most: float | None = None
    task: Task | None = None
    """Where it is not the behaviour's own."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A mechanism, and what shows its part that matters."""

    mechanism: str
    task_name: str
    task: Task
    arms: tuple[Arm, ...]
    """The mechanism first, then itself without that part, then others."""
    gain: float = 0.0
    """How far the first arm is ahead of the second at least."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Recall of an arm: mean, lowest and highest over the seeds."""

    name: str
    mean: float
    low: float
    high: float
    claim: str
    """What was claimed of it; empty where nothing was."""
    held: bool


@dataclass(frozen=True, slots=True)
class BehaviourFigures:
    mechanism: str
    task: str
    arms: tuple[ArmFigures, ...]


@dataclass(frozen=True, slots=True)
class RulesReport:
    """Figures of one run on one machine."""

    behaviours: tuple[BehaviourFigures, ...]
    held: bool
    """Whether every claim held."""
    seeds: tuple[int, ...]
    processor_seconds: float
    torch: str
    machine: str
    date: str


BEHAVIOURS = (
    Behaviour(
        "hebbian",
        "96 random pairs, each once",
        tasks.plain,
        (
            Arm("hebbian", (Hebbian(),), at_least=0.95),
            Arm("delta, rate 1", (Delta(),)),
            Arm("delta, rate 0.5", (Delta(rate=0.5),)),
        ),
        gain=0.1,
    ),
    Behaviour(
        "hebbian decay",
        "the last of 20 segments of 32 pairs",
        tasks.last_segment,
        (
            Arm("hebbian, decay 0.01", (Hebbian(decay=0.01),)),
            Arm("hebbian, no decay", (Hebbian(),)),
            Arm("delta, decay 0.01", (Delta(decay=0.01),)),
            Arm("delta, no decay", (Delta(),)),
        ),
        gain=0.35,
    ),
    Behaviour(
        "delta",
        "32 pairs, half written again with other values: those",
        tasks.rewritten,
        (
            Arm("delta", (Delta(),), at_least=0.95),
            Arm("hebbian", (Hebbian(),), at_most=0.65),
            Arm("ridge, nothing forgotten", (PLAIN_RIDGE,)),
        ),
    ),
    Behaviour(
        "ridge",
        "64 pairs, half written again: all",
        functools.partial(tasks.rewritten, pairs=64, asked="all"),
        (
            Arm("ridge, keep 0.98", (Ridge(keep=0.98),), at_least=0.97),
            Arm("ridge, keep 1", (PLAIN_RIDGE,)),
            Arm("delta, its best rate of 5", tuple(Delta(rate=rate) for rate in (0.3, 0.4, 0.5, 0.7, 1.0))),
        ),
        gain=0.1,
    ),
    Behaviour(
        "omega window",
        "48 keys of mean cosine 0.5, once",
        functools.partial(tasks.overlapping, cosine=0.5),
        (
            Arm("omega, window 8", (Omega(window=8, rate=0.3),), at_least=0.9),
            Arm("omega, window 1 (delta)", (Omega(window=1, rate=1.0),), at_most=0.45),
            Arm("window 1, its best rate of 5", tuple(Omega(window=1, rate=rate) for rate in RATES)),
            Arm(
                "window 1 and 8 passes",
                (Omega(window=1, rate=1.0),),
                task=functools.partial(tasks.overlapping, cosine=0.5, passes=8),
            ),
            Arm("hebbian", (Hebbian(),)),
            Arm("ridge", (PLAIN_RIDGE,)),
        ),
    ),
    Behaviour(
        "omega features",
        "64 conjunctions of two features, 16 passes",
        functools.partial(tasks.conjunctions, passes=16),
        (
            Arm("omega, degree 2", (Omega(window=1, rate=0.3, degree=2, batch=4),), at_least=0.9),
            Arm("omega, degree 1", (Omega(window=1, rate=0.3, batch=4),), at_most=0.45),
        ),
    ),
    Behaviour(
        "titans momentum",
        "48 keys of mean cosine 0.8, 3 passes",
        functools.partial(tasks.overlapping, cosine=0.8, passes=3),
        (
            Arm("titans, momentum 0.8", (Titans(rate=0.2, momentum=0.8),)),
            Arm("no momentum, its best rate of 5", tuple(Titans(rate=rate, momentum=0.0) for rate in RATES)),
            Arm("ridge", (PLAIN_RIDGE,)),
        ),
        gain=0.2,
    ),
    Behaviour(
        "ttt-linear",
        "32 pairs, half written again with other values: those",
        tasks.rewritten,
        (
            Arm("plain, a step for each token", (TTTLinear(rate=1.0, batch=1, plain=True),), at_least=0.95),
            Arm("plain, one step for all 48", (TTTLinear(rate=48.0, batch=48, plain=True),), at_most=0.65),
            Arm("with LayerNorm, its best rate of 5", tuple(TTTLinear(rate=rate, batch=1) for rate in RATES)),
        ),
    ),
    Behaviour(
        "ttt-mlp",
        "64 conjunctions of two features, 16 passes",
        functools.partial(tasks.conjunctions, passes=16),
        (
            Arm("ttt-mlp", (TTTMLP(rate=0.4, batch=4, expansion=8, deviation=0.5),), at_least=0.9),
            Arm(
                "ttt-linear, its best rate of 4",
                tuple(TTTLinear(rate=rate, batch=4) for rate in (0.003, 0.01, 0.03, 0.1)),
                at_most=0.45,
            ),
            Arm("ttt-mlp, 1 pass", (TTTMLP(rate=0.4, batch=4, expansion=8, deviation=0.5),), task=tasks.conjunctions),
        ),
    ),
    Behaviour(
        "random features",
        "64 conjunctions of two features, once",
        tasks.conjunctions,
        (
            Arm("128 features and ridge", (RandomFeatures(width=128),), at_least=0.98),
            Arm("128 linear features and ridge", (RandomFeatures(width=128, linear=True),), at_most=0.45),
        ),
    ),
    Behaviour(
        "bdh",
        "48 keys of mean cosine 0.5, once",
        functools.partial(tasks.overlapping, cosine=0.5),
        (
            Arm("bdh, 1% of 1,024 fire", (BDH(keep=0.01),), at_least=0.8),
            Arm("bdh, ReLU alone", (BDH(keep=1.0),)),
            Arm("bdh, 5% fire", (BDH(keep=0.05),)),
            Arm("1,024 linear neurons", (BDH(activation="linear"),)),
            Arm("hebbian on the keys", (Hebbian(),), at_most=0.3),
        ),
        gain=0.5,
    ),
    Behaviour(
        "continuum",
        "16 recurring among 2,400 once: worse of recurring and last 8",
        tasks.recurring_and_new,
        (
            Arm("fast or slow, by the gate", (Continuum(),), at_least=0.9),
            Arm("fast and slow, summed", (Continuum(aggregate="sum"),)),
            Arm(
                "delta, its best rate of 8", tuple(Delta(rate=rate) for rate in (*RATES, 0.15, 0.25, 0.3)), at_most=0.75
            ),
            Arm("fast alone", (Continuum(aggregate="fast"),)),
            Arm("slow alone", (Continuum(aggregate="slow"),)),
        ),
        gain=0.3,
    ),
    Behaviour(
        "memory caching",
        "16 segments of 48 pairs: all",
        tasks.every_segment,
        (
            Arm("gated", (Caching(segment=48, choice="gated"),), at_least=0.75),
            Arm("residual: all alike", (Caching(segment=48, choice="residual"),)),
            Arm("top 1", (Caching(segment=48, choice="top", top=1),), at_least=0.75),
            Arm("one delta memory", (Delta(),), at_most=0.2),
            Arm("told its segment", (Delta(),), task=tasks.told_its_segment),
        ),
        gain=0.5,
    ),
)


def run(
    *,
    seeds: Sequence[int] | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> RulesReport:
    """Measure every behaviour with every seed (default: `SEEDS`). Raises `InvalidInput` for none."""
    seeds = SEEDS if seeds is None else tuple(seeds)
    if not seeds:
        raise InvalidInput("the benchmark of the rules needs a seed at least")
    begun = time.process_time()
    figures = []
    for done, behaviour in enumerate(BEHAVIOURS):
        progress(behaviour.mechanism, done, len(BEHAVIOURS))
        figures.append(measured(behaviour, seeds))
    return RulesReport(
        behaviours=tuple(figures),
        held=all(arm.held for each in figures for arm in each.arms),
        seeds=seeds,
        processor_seconds=time.process_time() - begun,
        torch=torch.__version__,
        machine=platform.processor() or platform.machine(),
        date=date.today().isoformat(),
    )


def measured(behaviour: Behaviour, seeds: Sequence[int]) -> BehaviourFigures:
    """Every arm of a behaviour, and whether what was claimed of it held."""
    with torch.inference_mode():
        recalls = [_recalls(arm, arm.task or behaviour.task, seeds) for arm in behaviour.arms]
    means = [sum(recall) / len(recall) for recall in recalls]
    ahead = means[0] - means[1]
    arms: list[ArmFigures] = []
    for arm, recall, mean in zip(behaviour.arms, recalls, means, strict=True):
        claims = {}
        if arm.at_least is not None:
            claims[f"≥ {arm.at_least:.2f}"] = mean >= arm.at_least
        if arm.at_most is not None:
            claims[f"≤ {arm.at_most:.2f}"] = mean <= arm.at_most
        if behaviour.gain and not arms:
            claims[f"+{behaviour.gain:.2f} on the next"] = ahead >= behaviour.gain
        arms.append(ArmFigures(arm.name, mean, min(recall), max(recall), ", ".join(claims), all(claims.values())))
    return BehaviourFigures(behaviour.mechanism, behaviour.task_name, tuple(arms))


def _recalls(arm: Arm, task: Task, seeds: Sequence[int]) -> list[float]:
    return [max(task(rule, seed) for rule in arm.rules) for seed in seeds]
