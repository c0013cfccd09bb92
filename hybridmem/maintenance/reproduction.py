"""Whether an adapter reproduces the figures of its card: its gate and its report, measured again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hybridmem.adapters import files
from hybridmem.adapters.card import AdapterCard
from hybridmem.core.records import AdapterRecord, Split
from hybridmem.dreaming.bounds import BOUNDS, REPORTED, Evaluated
from hybridmem.dreaming.plan import eval_set_of
from hybridmem.dreaming.recipes import EvalSettings
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.dreaming.steps.evaluate import evaluate
from hybridmem.maintenance.provenance import compare_data, stood
from hybridmem.workspace import Workspace

_SIZES = tuple(entry.name for entry in dataclasses.fields(EvalSettings))
_WITHOUT_DATA = ("locality", "drift_nats")
"""Figures that ask nothing about facts: they can be measured whatever was deleted since."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One figure of a card, and the same measured now."""

    split: Split
    """`dev` for what the gate judged, `test` for what was reported."""
    name: str
    card: float
    measured: float
    within: bool
    """Whether they are within the tolerance of each other."""

    def __str__(self) -> str:
        return f"{self.name} on the {self.split} split is {self.measured:.3f}, and its card says {self.card:.3f}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What of a card could be measured again, and how that came out."""

    version: str
    figures: tuple[Reproduced, ...]
    unmeasured: tuple[str, ...]
    """Names of figures that cannot be: their questions were deleted, or they compare with what is no longer kept."""

    @property
    def reason(self) -> str | None:
        """The figures that came out differently, in one line; None where all agree."""
        return "; ".join(str(each) for each in self.figures if not each.within) or None


def reproduce(workspace: Workspace, version: str, tolerance: float) -> Reproduction:
    """Check the files of `version` against its card, and its base, and measure its card's figures again.

    Figures that are about facts are left out once its training data has changed (`compare_data`), and `forgetting` once
    the version before it has no weights any more. What was asked about a night's episodes cannot be asked again.
    Raises `UnknownAdapter`, `CorruptAdapter` for a card that names other files, and `WrongBase`."""
    ledger, registry, namespace = workspace.ledger, workspace.adapters, workspace.namespace
    model = workspace.trainable()
    record, card, folder = registry.get(version), registry.card(version), registry.path(version)
    files.check(record, folder)
    files.check(card, folder)
    files.check_base(record, model.name, model.sha256)
    everything = {fact.id: fact for fact in ledger.facts(namespace, include_retired=True)}
    facts = [everything[id] for id in record.facts if id in everything]
    learned = next((report.new_facts for report in ledger.dreams(namespace) if report.id == record.dream), None)
    new, old = facts[:learned], facts[len(facts[:learned]) :]
    earlier = _active_before(workspace, card.created_at)
    was_held = set(earlier.facts) if earlier else set()
    replaced = [everything[id] for id in sorted((was_held & everything.keys()) - set(record.facts))]
    involved = {fact.id: fact for fact in (*facts, *replaced)}
    known = [fact for fact in everything.values() if stood(fact, card.created_at)]
    items = still_sound(ledger.items(namespace, list(involved)), involved, known)

    comparable = set(_WITHOUT_DATA)
    if learned is not None and compare_data(ledger, namespace, card).status == "match":
        comparable |= {figure.name for figure in (*BOUNDS, *REPORTED)}
        if not everything.keys() >= was_held:
            comparable.remove("stale_answer_rate")
    sizes = EvalSettings(**{name: card.recipe["eval"][name] for name in _SIZES if name in card.recipe.get("eval", {})})
    measured: dict[tuple[Split, str], float] = {}
    for split in ("dev", "test"):
        asked = eval_set_of(model, sizes, split, items, new, old, replaced)
        base, candidate = evaluate(model, None, asked), evaluate(model, folder, asked, version)
        before = base if earlier is None else None
        if split == "dev" and earlier is not None and earlier.files and earlier.base_sha256 == model.sha256:
            files.check(earlier, registry.path(earlier.version))
            before = evaluate(model, registry.path(earlier.version), asked)
        evaluated = Evaluated(base, before, candidate, [f.id for f in new], [f.id for f in old])
        measured |= {(split, figure.name): figure.measure(evaluated) for figure in (*BOUNDS, *REPORTED)}
    return _compared(card, measured, comparable, tolerance)


def _active_before(workspace: Workspace, at: datetime) -> AdapterRecord | None:
    """The version that answered just before `at`."""
    active = None
    for moved, version in workspace.ledger.activations(workspace.namespace):
        if moved >= at:
            break
        active = version
    return workspace.adapters.get(active) if active is not None else None


def _compared(
    card: AdapterCard, measured: Mapping[tuple[Split, str], float], comparable: Collection[str], tolerance: float
) -> Reproduction:
    said: list[tuple[Split, str, float]] = [
        *(("dev", name, value) for name, value in card.gate.items()),
        *(("test", name, value) for name, value in card.test.items()),
    ]
    found: list[Reproduced] = []
    unmeasured: list[str] = []
    for split, name, value in said:
        again = measured.get((split, name), math.nan)
        if name in comparable and math.isfinite(again):
            found.append(Reproduced(split, name, value, again, abs(again - value) <= tolerance))
        else:
            unmeasured.append(f"{split}.{name}")
    return Reproduction(card.version, tuple(found), tuple(unmeasured))
