"""How good the router is: its choice of route, its confidence and its refusals, on every kind of question.

A memory lives through a stream of ten days and nights. By day and by night it is asked; each question is answered with
the router choosing, forced to each route, and by the model with the whole memory in its prompt. All figures are of the
part of the questions that nothing was fitted or chosen on. `docs/router.md` explains them.

    routes                   object by way: the figures of `routing.figures.FIGURES` as value, low and high, and
                             prompt_tokens (mean), seconds_p50, seconds_p95 (asked one by one; null where never timed),
                             ece_of_calibrated (what the error would be by chance, were every confidence right)
    ahead                    object by way: how much more accurate the router is, as value, low and high
    kinds                    object by kind: of (questions), answerable (whether something answers them), and the
                             accuracy of each way
    signals                  list of `routing.signal_worth` rows
    promises                 list of `routing.promise` rows: whether a named risk is kept
    curves, reliability      objects by way: points (coverage, risk), and bins
    overhead                 what the router's choice took beside the search and the model, over all questions: of,
                             wall_ms_p50, wall_ms_p95, processor_ms_p50, processor_ms_p95
    consolidated             share of the questions whose nearest fact is in the weights and holds
    dreams                   list of objects, one a night of each seed
    parts                    object by part: questions
    questions, facts, nights, facts_per_night, seeds, model, base_sha256, embedder, recipe, version
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem import metrics
from hybridmem.core.clock import Clock
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.dreaming import recipes
from hybridmem.evaluation.conditions import claimed
from hybridmem.evaluation.routing.figures import (
    Answers,
    by_kind,
    curve,
    diagram,
    difference,
    everywhere,
    figures,
)
from hybridmem.evaluation.routing.living import Life, live_through
from hybridmem.evaluation.routing.maker import make_router_stream
from hybridmem.evaluation.routing.outcome import FULL_CONTEXT, ROUTER, Outcome
from hybridmem.evaluation.routing.overhead import overhead_figures
from hybridmem.evaluation.routing.policies import REFITTED, of_part, policies
from hybridmem.evaluation.routing.promise import promises
from hybridmem.evaluation.routing.question import KINDS, PARTS
from hybridmem.evaluation.routing.signal_worth import signal_worth
from hybridmem.memory import HybridMemory
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress

DRAWN = (ROUTER, REFITTED, "weights", "retrieval", "both", FULL_CONTEXT)
"""Ways whose confidence is worth a curve."""
RESAMPLES = 1000


def run(
    *,
    model: str | LanguageModel | None,
    progress: Progress,
    seeds: Sequence[int] = (0,),
    nights: int = 10,
    facts_per_night: int = 10,
    embedder: str | None = None,
    recipe: str = recipes.DEFAULT,
    folder: Path | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """The router's figures over the streams of all `seeds`; `model` and `embedder` as `HybridMemory.open` takes them.

    In `folder`, each seed has a folder of its own, and a run that was stopped goes on there; None for one that is gone
    afterwards. Raises `InvalidInput`, for a folder with another run's results too."""
    if not seeds:
        raise InvalidInput("a run without seeds measures nothing: pass one or more")
    streams = {seed: make_router_stream(seed, nights, facts_per_night) for seed in dict.fromkeys(seeds)}
    opened = partial(_opened, model, embedder)
    lives: list[Life] = []
    with _place(folder) as place, claimed(place, "a router benchmark"):
        for seed, stream in streams.items():
            lives.append(live_through(stream, place / f"seed-{seed}", opened, recipe, progress))
    asked = [moment for life in lives for moment in life.moments]
    return {
        **measured(
            [outcome for moment in asked for outcome in moment.outcomes], resamples=resamples, progress=progress
        ),
        "dreams": [moment.dream for moment in asked if moment.dream],
        "facts": sum(len(stream.facts) for stream in streams.values()),
        "nights": nights,
        "facts_per_night": facts_per_night,
        "seeds": list(streams),
        **{name: lives[0].conditions[name] for name in ("model", "base_sha256", "embedder", "version")},
        "recipe": lives[0].conditions["recipe"]["name"],
    }


def measured(outcomes: Sequence[Outcome], *, resamples: int, progress: Progress) -> dict[str, Any]:
    """The figures of these outcomes, all but what names the run. Raises `InvalidInput` where a part has no question."""
    parts = {part: of_part(outcomes, part) for part in PARTS}
    for part, of_it in parts.items():
        if not of_it:
            raise InvalidInput(f"no question is in the part {part!r}: run more nights, or more facts a night")
    test = parts["test"]
    drawn = metrics.cluster_resamples([outcome.cluster for outcome in test], seed=0, resamples=resamples)
    answers = {}
    routes = {}
    ways = policies(outcomes)
    for number, (name, policy) in enumerate(ways.items(), start=1):
        answers[name] = Answers.of(policy, test)
        routes[name] = figures(answers[name], test, drawn)
        progress("measure", number, len(ways))
    kinds = {name: by_kind(each, test) for name, each in answers.items()}
    return {
        "routes": routes,
        "ahead": {
            name: difference(answers[ROUTER], other, "accuracy", everywhere(test), drawn)
            for name, other in answers.items()
            if name != ROUTER
        },
        "kinds": {
            kind: {"of": len(of_kind), "answerable": any(each.question.answer is not None for each in of_kind)}
            | {name: found[kind] for name, found in kinds.items()}
            for kind in KINDS
            for of_kind in [[outcome for outcome in test if outcome.question.kind == kind]]
        },
        "signals": signal_worth(outcomes, drawn),
        "promises": promises(outcomes),
        "curves": {name: curve(answers[name]) for name in DRAWN},
        "reliability": {name: to_json(diagram(answers[name])) for name in DRAWN},
        "overhead": overhead_figures([each.overhead for each in outcomes if each.overhead]),
        "consolidated": metrics.mean(outcome.consolidated for outcome in test),
        "parts": {part: len(of_it) for part, of_it in parts.items()},
        "questions": len(outcomes),
    }


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as temporary:
        yield Path(temporary)


def _opened(model: str | LanguageModel | None, embedder: str | None, folder: Path, clock: Clock) -> HybridMemory:
    return HybridMemory.open(folder, namespace=("bench",), model=model, embedder=embedder, clock=clock)
