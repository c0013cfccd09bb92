"""What a night works on: everything of a memory that it touches, the facts that it picks, and its two eval sets."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from hybridmem.adapters.provenance import training_key
from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.continual.base import NightInput
from hybridmem.core.clock import Clock
from hybridmem.core.errors import CorruptAdapter, ErasedMeanwhile
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Fact, Split, TrainingItem
from hybridmem.dreaming import general
from hybridmem.dreaming.recipes import EvalSettings, Recipe
from hybridmem.dreaming.recovery import next_night
from hybridmem.dreaming.steps import unlearn
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.dreaming.steps.evaluate import EvalSet, build_eval_set
from hybridmem.dreaming.steps.select import Selection, select
from hybridmem.dreaming.steps.truth import Answering
from hybridmem.models.reader import Reader
from hybridmem.models.reader.metered import MeteredReader
from hybridmem.models.trainable import TrainableModel
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.training.examples import QUESTIONS, by_fact

REPLIES = "replies.jsonl"
"""In the folder of a dream: what its reader replied, until the dream is over."""


@dataclass(frozen=True, slots=True)
class DreamContext:
    """All that a dream touches."""

    ledger: Ledger
    registry: AdapterRegistry
    model: TrainableModel
    reader: Reader
    """Who extracts facts and writes exercises: the agent's own model, or another that the user named."""
    namespace: Namespace
    folder: Path
    """For what a running dream leaves between its steps."""
    clock: Clock
    find: Callable[[str, int], Sequence[str]] | None = None
    """Ids of the memories most like a text, best first; None where there is no search."""
    answering: Answering | None = None
    """How the memory answers; None where nothing can ask it: the gate then asks for no truth."""

    @property
    def metered(self) -> MeteredReader | None:
        """The reader, where it is not the agent's own model: what it takes is counted, and may be bounded."""
        return self.reader if isinstance(self.reader, MeteredReader) else None

    def active(self) -> AdapterRecord | None:
        """The adapter to go on from: none when the active one was trained on another base than today's."""
        active = self.registry.active()
        return active if active is not None and active.base_sha256 == self.model.sha256 else None

    def of_another_base(self) -> AdapterRecord | None:
        """The active adapter, where it was trained on another base than today's: this night starts anew."""
        active = self.registry.active()
        return active if active is not None and active.base_sha256 != self.model.sha256 else None


def started_anew(context: DreamContext) -> str:
    """Why this night goes on from no adapter although one is active; empty where it does."""
    other = context.of_another_base()
    if other is None:
        return ""
    return (
        f"started anew: {other.version} was trained on the base {other.base}, and the model is now {context.model.name}"
    )


def selected(context: DreamContext, recipe: Recipe) -> Selection:
    """What would go into the weights now. Reads the ledger and nothing else."""
    everything = context.ledger.facts(context.namespace, include_retired=True)
    now = context.clock()
    current = [f for f in everything if f.current and holds(f, now)]
    active, held = context.active(), context.registry.active()
    return select(
        current,
        [f for f in everything if not (f.current and holds(f, now))],
        active,
        context.ledger.uses(context.namespace, [f.id for f in current]),
        recipe.max_new_facts,
        # What was erased has to leave the weights of another base, too.
        inherited=unlearn.in_weights(context.registry.list(), held.version) if held else (),
        failed={fact for report in context.ledger.dreams(context.namespace) for fact in report.left_to_retrieval},
    )


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a night trains and evaluates."""

    selection: Selection
    new: tuple[Fact, ...]
    old: tuple[Fact, ...]
    replaced: tuple[Fact, ...]
    items: tuple[TrainingItem, ...]
    poor: tuple[str, ...]
    """Selected facts that got too few exercises to be trained."""
    parent: AdapterRecord | None
    """The adapter that could be gone on from: the active one, or where something must leave the weights the newest
    version that never saw it. None where the weights must be rebuilt from the bare base."""
    inherited: tuple[str, ...] = ()
    """Every fact that the weights of `parent` were trained on, what was overwritten since among them."""
    relearned: tuple[Fact, ...] = ()
    """Those of `old` that a `parent` from before the active adapter does not hold yet."""

    @classmethod
    def of(cls, context: DreamContext, selection: Selection, poor: Sequence[str]) -> TrainingSet:
        """`poor` is as the field has it. Raises `ErasedMeanwhile` where something of `selection` was deleted since."""
        everything = {f.id: f for f in context.ledger.facts(context.namespace, include_retired=True)}
        if not everything.keys() >= {*(f.id for f in (*selection.new, *selection.old)), *selection.replaced}:
            raise ErasedMeanwhile("a memory was deleted before it was learned")
        replaced = tuple(everything[id] for id in selection.replaced)
        involved = {f.id: f for f in (*selection.new, *selection.old, *replaced)}
        known = [f for f in everything.values() if f.current]
        items = still_sound(context.ledger.items(context.namespace, list(involved)), involved, known)
        trainable = by_fact(items, QUESTIONS).keys() - set(poor)
        new = tuple(f for f in selection.new if f.id in trainable)
        # Only what is trained this night can overwrite the value that it replaces.
        successors = {f.slot for f in new}
        rebuild = bool(selection.deleted) or any(not f.superseded_by or f.slot not in successors for f in replaced)
        trainable_facts = {f.id for f in (*new, *selection.old)}
        parent = context.active()
        if rebuild and parent is not None:
            parent = unlearn.clean_ancestor(
                context.ledger,
                context.registry,
                context.namespace,
                context.model.sha256,
                deleted=selection.deleted,
                standing=trainable_facts - set(parent.tainted),
            )
        held = unlearn.in_weights(context.registry.list(), parent.version) if parent else frozenset()
        return cls(
            selection=selection,
            new=new,
            old=selection.old,
            replaced=replaced,
            items=tuple(items),
            poor=tuple(poor),
            parent=parent,
            inherited=tuple(sorted(held)),
            relearned=tuple(f for f in selection.old if f.id not in held) if rebuild and parent else (),
        )

    @property
    def is_held(self) -> bool:
        """Whether the `parent` holds all that is to be held: it can answer again as it is."""
        return self.parent is not None and not (self.new or self.relearned)

    def to_learn(self, parent: AdapterRecord | None) -> tuple[str, ...]:
        """Ids of what a training from `parent` (this set's, or none) has to learn: the new facts, and the older ones
        that it does not hold. From the bare base those are all of them."""
        held = self.inherited if parent else ()
        return (*(f.id for f in self.new), *(f.id for f in self.old if f.id not in held))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All that the weights hold after this night."""
        return (*self.new, *self.old)

    @property
    def learned(self) -> tuple[str, ...]:
        """Ids of the facts and training items that must be there when the night is promoted."""
        return (*self._held, *(item.id for item in self.items))

    def is_there(self, context: DreamContext) -> bool:
        """Whether all that is `learned` is in the ledger still."""
        there = context.ledger.get_many(context.namespace, self._held)
        items = {item.id for item in context.ledger.items(context.namespace, self._held)}
        return there.keys() >= set(self._held) and items >= {item.id for item in self.items}

    @property
    def _held(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*(fact.id for fact in (*self.facts, *self.replaced)), *self.inherited)))

    @property
    def is_worth_training(self) -> bool:
        """Whether there is something to learn, or something to rebuild without."""
        return bool(self.new or (self.old and (self.selection.deleted or self.selection.replaced)))

    def night_input(self, context: DreamContext, recipe: Recipe, seed: int) -> NightInput:
        """What the strategy plans with. Raises `CorruptAdapter`: nothing is trained on damaged weights."""
        active = context.active()
        missed: dict[str, float] = {}
        for audit in context.ledger.audits(context.namespace, active.version) if active else ():
            missed[audit.fact] = missed.get(audit.fact, 0.0) + (audit.asked - audit.right)
        registry = context.registry
        parent = registry.path(registry.verify(self.parent.version).version) if self.parent else None
        return NightInput(
            new=(*self.new, *self.relearned),
            old=tuple(fact for fact in self.old if fact not in self.relearned),
            items=self.items,
            missed=missed,
            general=tuple(general.rows(context.model, "train", recipe.train.general_tokens)),
            unrelated=tuple(general.own_answers(context.model)) if recipe.train.unrelated_rows else (),
            parent=parent,
            seed=seed,
            number=next_night(context.ledger, context.namespace),
            recall=partial(context.model.recall, adapter=parent) if parent else None,
        )

    def before_path(self, context: DreamContext) -> Path | None:
        """The adapter that forgetting is measured against, on a rebuild too; None when there is none that is whole."""
        active = context.active()
        try:
            return context.registry.path(context.registry.verify(active.version).version) if active else None
        except CorruptAdapter:
            return None

    def eval_set(self, context: DreamContext, recipe: Recipe, split: Split) -> EvalSet:
        """The questions and texts of `split`: the same for the bare base, the adapter before and the candidate."""
        return eval_set_of(context.model, recipe.eval, split, self.items, self.new, self.old, self.replaced)

    def training_key(self, context: DreamContext, recipe: Recipe, seed: int, parent: AdapterRecord | None) -> str:
        """Digest of all that decides what a training from `parent` would produce: a stopped one with this key can be
        gone on from."""
        return training_key(
            base_sha256=context.model.sha256,
            facts=self.facts,
            items=self.items,
            recipe={"train": asdict(recipe.train), "strategy": recipe.strategy},
            seed=seed,
            parent=parent,
        )


def eval_set_of(
    model: TrainableModel,
    sizes: EvalSettings,
    split: Split,
    items: Sequence[TrainingItem],
    new: Sequence[Fact],
    old: Sequence[Fact],
    replaced: Sequence[Fact],
) -> EvalSet:
    """The questions and texts of `split` for a night that learned `new` beside `old` and overwrote `replaced`: the same
    for the same facts in the same order."""
    part: Literal["dev", "test"] = "dev" if split == "dev" else "test"
    rows = general.drift_rows(model, part, sizes)
    # New facts are all asked; of very many older ones a sample, the same at each evaluation.
    rng = random.Random(len(old))  # noqa: S311 - a reproducible draw, not a secret
    facts = (*new, *rng.sample(list(old), len(old)))
    return build_eval_set(split, items, facts, replaced, general.unrelated(part), rows, sizes.questions)
