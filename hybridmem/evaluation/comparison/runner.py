"""Runs the trials of a comparison, those that are not done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.core.version import VERSION
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recipes import Recipe
from hybridmem.evaluation.comparison.results import ResultsFolder, TrialResult
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.evaluation.conditions import Conditions
from hybridmem.evaluation.expectations import label_shuffled
from hybridmem.evaluation.stream import Stream
from hybridmem.evaluation.suites.forgetting import Memory, bench_plan, run

OpenMemory = Callable[[Path], AbstractContextManager[Memory]]
"""Opens a memory in a folder that is not there yet."""


def compare(
    stream: Stream,
    trials: Sequence[Trial],
    folder: Path,
    open_memory: OpenMemory,
    *,
    recipe: str | Path | None = None,
    backends: Mapping[str, str | None] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Conditions, list[TrialResult]]:
    """Run those of `trials` whose results are not in `folder` yet, each with a fresh memory; returns the conditions
    that all share, and every result in the folder.

    A trial's file is written once the trial is over: a comparison that was stopped, even by SIGKILL, goes on with the
    trial that it was in. `recipe` is as `bench_plan` takes it; `backends` names what else answers, such as the
    embedder. Raises `InvalidInput` where the folder holds results of other conditions, before anything is run."""
    _check(stream, trials, recipe)
    results = ResultsFolder(folder)
    with results.claimed() as running:
        base, conditions = _base(stream, running / "base", open_memory, recipe, backends or {})
        done = {each.trial for each in results.read(conditions)}
        for number, trial in enumerate(trials, start=1):
            say = partial(_say, progress, f"{number} of {len(trials)}, {trial.label}, seed {trial.seed}")
            if trial in done:
                say("done already")
                continue
            memory_folder = running / trial.name
            result = run(
                stream,
                trial.strategy,
                partial(open_memory, memory_folder),
                say,
                seed=trial.seed,
                recipe=base if strategies.get(trial.strategy).trains else None,
                gate=trial.gate,
                shuffle_labels=trial.shuffle_labels,
                learning_rate=trial.learning_rate,
                token_budget=trial.token_budget,
            )
            results.write(trial, conditions, result)
            shutil.rmtree(memory_folder, ignore_errors=True)
        return conditions, results.read(conditions)


def _check(stream: Stream, trials: Sequence[Trial], recipe: str | Path | None) -> None:
    """What no trial could run with is refused before a model is loaded."""
    training = [trial for trial in trials if strategies.get(trial.strategy).trains]
    if recipe is not None and not training:
        raise InvalidInput(f"no strategy of this comparison ever dreams: leave the recipe {str(recipe)!r} out")
    for trial in training:
        bench_plan(
            trial.strategy,
            recipe,
            trial.gate,
            learning_rate=trial.learning_rate,
            token_budget=trial.token_budget,
        )
    for seed in {trial.seed for trial in trials if trial.shuffle_labels}:
        label_shuffled(stream, seed)


def _base(
    stream: Stream,
    folder: Path,
    open_memory: OpenMemory,
    recipe: str | Path | None,
    backends: Mapping[str, str | None],
) -> tuple[Recipe, Conditions]:
    """The recipe that the trials vary, and the conditions that they share. Asks a memory which base it has."""
    with open_memory(folder) as memory:
        model, sha256 = memory.model.name, memory.model.sha256
    shutil.rmtree(folder, ignore_errors=True)
    chosen = recipes.load(recipe or recipes.DEFAULT, model)
    return chosen, {
        "stream_sha256": stream.sha256,
        "model": model,
        "base_sha256": sha256,
        "backends": dict(backends),
        "recipe": to_json(chosen),
        "version": VERSION,
    }


def _say(progress: Callable[[str], None], where: str, line: str) -> None:
    progress(f"{where}: {line}")
