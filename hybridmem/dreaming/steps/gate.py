"""Step 6: is this night fit to be promoted? All of the `dreaming.bounds` at once.

The gate judges on the dev split alone. It may shrink the adapter's scale until the night passes; what it passed is
then reported on the test split, which it never sees.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.records import Check
from hybridmem.dreaming import bounds
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.dreaming.steps.evaluate import EvalResult, EvalSet, evaluate
from hybridmem.models.trainable import TrainableModel


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate saw and decided."""

    passed: bool
    checks: tuple[Check, ...]
    scale: float
    result: EvalResult


def checks(
    base: EvalResult,
    parent: EvalResult,
    candidate: EvalResult,
    new: Sequence[str],
    old: Sequence[str],
    settings: GateSettings,
) -> tuple[Check, ...]:
    """Every bound of the table, with what the candidate measured."""
    evaluated = bounds.Evaluated(base, parent, candidate, new, old)
    return tuple(bound.check(evaluated, settings) for bound in bounds.BOUNDS)


def evaluate_gate(
    model: TrainableModel,
    candidate: Path,
    parent: Path | None,
    eval_set: EvalSet,
    new: Sequence[str],
    old: Sequence[str],
    settings: GateSettings | None,
    version: str,
) -> Verdict:
    """Evaluate base, `parent` (the adapter before, trained on or not) and candidate on `eval_set`; leaves `candidate`
    at the largest scale that passes.

    With no settings everything passes (for baselines). When no scale passes, the verdict is that of the full scale.
    """
    if settings is None:
        return Verdict(True, (), 1.0, evaluate(model, candidate, eval_set, version))
    base = evaluate(model, None, eval_set)
    before = evaluate(model, parent, eval_set) if parent else base
    refusals: list[Verdict] = []
    for scale in settings.scales:
        tried = candidate if scale == 1.0 else scaled(model, candidate, scale)
        result = evaluate(model, tried, eval_set, version)
        found = checks(base, before, result, new, old, settings)
        if all(check.passed for check in found):
            if tried != candidate:
                adopt(tried, candidate)
            model.forget(candidate)
            return Verdict(True, found, scale, result)
        refusals.append(Verdict(False, found, scale, result))
        if tried != candidate:
            model.forget(tried)
            shutil.rmtree(tried)
    return refusals[0]


def scaled(model: TrainableModel, adapter: Path, scale: float) -> Path:
    """A copy of `adapter` beside it whose update of the base is `scale` times as large."""
    copy = adapter.with_name(f"{adapter.name}-x{scale:g}")
    model.scale_adapter(adapter, scale, copy)
    return copy


def adopt(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`."""
    shutil.rmtree(target)
    source.rename(target)
