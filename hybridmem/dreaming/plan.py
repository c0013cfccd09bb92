"""What a night works on: the parts of a memory that it touches, the facts that it picks, and its two exams."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.errors import CorruptAdapter
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Fact, Split, TrainingItem
from hybridmem.dreaming import general
from hybridmem.dreaming.recipes import Recipe
from hybridmem.dreaming.steps import unlearn
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.dreaming.steps.evaluate import EvalSet, build_eval_set
from hybridmem.dreaming.steps.select import Selection, select
from hybridmem.models.base import LanguageModel
from hybridmem.stores.ledger.base import Ledger
from hybridmem.training import examples as replay

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

EXAM_ROWS = 16
EXAM_TOKENS = 128


@dataclass(frozen=True, slots=True)
class DreamContext:
    """All that a dream touches."""

    ledger: Ledger
    registry: AdapterRegistry
    model: HuggingFaceModel
    reader: LanguageModel
    """Who extracts facts: the agent's own model, or another that the user named."""
    namespace: Namespace
    folder: Path
    """For what a running dream leaves between its steps."""
    clock: Callable[[], datetime]

    def active(self) -> AdapterRecord | None:
        """The adapter to go on from: none when the active one was trained on another base than today's."""
        active = self.registry.active()
        return active if active is not None and active.base_sha256 == self.model.sha256 else None


def selected(bed: DreamContext, recipe: Recipe) -> Selection:
    """What would go into the weights now. Reads the ledger and nothing else."""
    everything = bed.ledger.facts(bed.namespace, include_retired=True)
    current = [f for f in everything if f.current]
    uses = bed.ledger.uses(bed.namespace, [f.id for f in current])
    retired = [f for f in everything if not f.current]
    active = bed.active()
    return select(
        current,
        retired,
        active,
        uses,
        recipe.max_new_facts,
        inherited=unlearn.in_weights(bed.registry.list(), active.version) if active else (),
        failed={fact for report in bed.ledger.dreams(bed.namespace) for fact in report.left_to_retrieval},
    )


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a night trains and examines."""

    selection: Selection
    new: tuple[Fact, ...]
    old: tuple[Fact, ...]
    replaced: tuple[Fact, ...]
    items: tuple[TrainingItem, ...]
    parent: AdapterRecord | None
    """The adapter to go on from; None to start from the bare base."""

    @classmethod
    def of(cls, bed: DreamContext, selection: Selection, poor: Sequence[str]) -> TrainingSet:
        everything = {f.id: f for f in bed.ledger.facts(bed.namespace, include_retired=True)}
        replaced = tuple(everything[id] for id in selection.replaced)
        held = {f.id: f for f in (*selection.new, *selection.old, *replaced)}
        known = [f for f in everything.values() if f.current]
        items = still_sound(bed.ledger.items(bed.namespace, list(held)), held, known)
        trainable = replay.by_fact(items, ("question", "reverse")).keys() - set(poor)
        new = tuple(f for f in selection.new if f.id in trainable)
        # Only what is trained tonight can overwrite the value that it replaces.
        successors = {f.slot for f in new}
        rebuild = bool(selection.deleted) or any(not f.superseded_by or f.slot not in successors for f in replaced)
        return cls(
            selection=selection,
            new=new,
            old=selection.old,
            replaced=replaced,
            items=tuple(items),
            parent=None if rebuild else bed.active(),
        )

    def parent_path(self, bed: DreamContext) -> Path | None:
        """Raises `CorruptAdapter`: nothing is trained on damaged weights."""
        return bed.registry.path(bed.registry.verify(self.parent.version).version) if self.parent else None

    def before_path(self, bed: DreamContext) -> Path | None:
        """The adapter that forgetting is measured against, on a rebuild too; None when there is none that is whole."""
        active = bed.active()
        try:
            return bed.registry.path(bed.registry.verify(active.version).version) if active else None
        except CorruptAdapter:
            return None

    def eval_set(self, bed: DreamContext, split: Split) -> EvalSet:
        part: Literal["dev", "test"] = "dev" if split == "dev" else "test"
        rows = general.rows(bed.model, part, EXAM_TOKENS)[:EXAM_ROWS]
        # New facts are all asked; of very many older ones a sample, the same in each sitting.
        rng = random.Random(len(self.old))  # noqa: S311 - a reproducible draw, not a secret
        facts = (*self.new, *rng.sample(self.old, len(self.old)))
        return build_eval_set(split, self.items, facts, self.replaced, general.unrelated(part), rows)

    def digest(self, bed: DreamContext, recipe: Recipe, seed: int) -> str:
        """Of all that decides what a training would produce."""
        decisive = {
            "base": bed.model.sha256,
            "facts": [(f.id, f.text) for f in (*self.new, *self.old)],
            "recipe": asdict(recipe.train),
            "replay": recipe.replay,
            "seed": seed,
            "parent": self.parent.version if self.parent else None,
            "items": [(i.id, i.kind, i.question, i.answer, i.context, i.split) for i in self.items],
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
