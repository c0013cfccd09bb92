"""Step 6: is this night fit to be promoted? Learning, forgetting, refusals, locality and drift at once.

The gate judges on the dev split alone. It may shrink the adapter's scale until the night passes; what it passed is
then reported on the test split, which it never sees.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.records import Check
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.dreaming.steps.evaluate import EvalResult, EvalSet, evaluate
from hybridmem.metrics import locality
from hybridmem.models.huggingface.adapter_slots import WEIGHTS

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel


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
    """Every bound of `settings`, with what the candidate showed."""
    learned = candidate.accuracy(new)
    forgotten = parent.accuracy(old) - candidate.accuracy(old)
    false_answers = candidate.false_answers - base.false_answers
    unchanged = locality(base.unrelated, candidate.unrelated)
    drift = candidate.nats - base.nats
    return (
        Check("learned", learned, settings.min_learned, learned >= settings.min_learned),
        Check("forgetting", forgotten, settings.max_forgetting, forgotten <= settings.max_forgetting),
        Check("false answers", false_answers, settings.max_false_answers, false_answers <= settings.max_false_answers),
        Check("locality", unchanged, settings.min_locality, unchanged >= settings.min_locality),
        Check("drift", drift, settings.max_drift, drift <= settings.max_drift),
        Check("stale", candidate.stale, settings.max_stale, candidate.stale <= settings.max_stale),
    )


def evaluate_gate(
    model: HuggingFaceModel,
    candidate: Path,
    parent: Path | None,
    exam: EvalSet,
    new: Sequence[str],
    old: Sequence[str],
    settings: GateSettings | None,
    version: str,
) -> Verdict:
    """Let base, `parent` (the adapter before, trained on or not) and candidate sit `exam`; leaves `candidate` at the
    largest scale that passes.

    With no settings everything passes (for baselines). When no scale passes, the verdict is that of the full scale.
    """
    if settings is None:
        return Verdict(True, (), 1.0, evaluate(model, candidate, exam, version))
    base = evaluate(model, None, exam)
    before = evaluate(model, parent, exam) if parent else base
    refusals: list[Verdict] = []
    for scale in settings.scales:
        tried = candidate if scale == 1.0 else scaled(candidate, scale)
        result = evaluate(model, tried, exam, version)
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


def scaled(adapter: Path, scale: float) -> Path:
    """A copy of `adapter` beside it whose update of every weight is `scale` times as large."""
    from safetensors.torch import load_file, save_file

    copy = adapter.with_name(f"{adapter.name}-x{scale:g}")
    shutil.copytree(adapter, copy, dirs_exist_ok=True)
    # Read from the original: a file that is mapped into memory must not be written over.
    stored = load_file(adapter / WEIGHTS)
    tensors = {name: t * scale if "lora_B" in name else t for name, t in stored.items()}
    save_file(tensors, copy / WEIGHTS, metadata={"format": "pt"})
    return copy


def adopt(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`."""
    shutil.rmtree(target)
    source.rename(target)
