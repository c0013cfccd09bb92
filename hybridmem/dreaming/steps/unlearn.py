"""Step 8: what was deleted leaves the weights, and a probe proves it.

An adapter that holds a deleted memory is never mended: the next dream goes on from the newest version that was made
before the memory was known, or from the bare base, and learns the rest again. Either is exact unlearning, as SISA
restarts a shard from its last checkpoint before the deleted point (Bourtoule et al. 2021, arXiv:1912.03817). Every
adapter file that held the memory is removed. A superseded value is overwritten by its successor, and probed for.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.errors import CorruptAdapter, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel
from hybridmem.stores.ledger.base import Ledger

ERASED = "erased"
"""In the folder of a dream: something was erased, and the dream has not looked yet whether it learns that."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether one answer can still be got out of the weights."""

    question: str
    recalled: bool
    """The model, closed-book, gives the answer."""
    answer: str
    """What it gives instead (or that)."""
    probability: float
    """Of the probed answer after the question, with the adapter."""
    base_probability: float
    """The same without any adapter: what a model that never heard of it would give."""


def probe(model: LanguageModel, adapter: Path | None, pairs: Sequence[tuple[str, str]]) -> list[Probe]:
    """Ask for each (question, answer) closed-book, with `adapter` and without it."""
    asked = [prompts.answer(question) for question, _ in pairs]
    wanted = [answer for _, answer in pairs]
    with model.adapted(None):
        base = model.logprobs(asked, wanted)
    with model.adapted(adapter):
        completions = model.generate(asked)
        own = model.logprobs(asked, wanted)
    return [
        Probe(question, is_correct(said.text, answer), said.text, math.exp(sum(lp)), math.exp(sum(base_lp)))
        for (question, answer), said, lp, base_lp in zip(pairs, completions, own, base, strict=True)
    ]


def in_weights(records: Sequence[AdapterRecord], version: str) -> frozenset[str]:
    """Every fact that the weights of `version` were trained on: its own, and those of the adapters that it goes on
    from, which a later value may have overwritten but did not take out."""
    by_version = {record.version: record for record in records}
    found: set[str] = set()
    record = by_version.get(version)
    while record is not None:
        found |= set(record.facts)
        record = by_version.pop(record.parent or "", None)
    return frozenset(found)


def clean_ancestor(
    ledger: Ledger,
    registry: AdapterRegistry,
    namespace: Namespace,
    base_sha256: str,
    *,
    deleted: Collection[str],
    standing: Collection[str],
) -> AdapterRecord | None:
    """The newest promoted version on this base from which a night can go on as if the facts in `deleted` had never been
    told; None where only the bare base is left.

    Its weights, those of its parents among them, were trained on nothing but facts in `standing`. It was made before
    the ledger knew any of `deleted`: their words stood in no exercise either, not even as another fact's context or as
    a near miss. The history of an erased memory keeps that time; where it is missing, no version counts as clean.
    Versions without weights, or whose files are damaged, are passed over."""
    try:
        known_since = [min(event.at for event in ledger.history(namespace, id)) for id in deleted]
    except UnknownMemory:
        return None
    records = registry.list()
    for record in reversed(records):
        if (
            record.status in ("active", "retired")
            and record.files
            and record.base_sha256 == base_sha256
            and all(record.created_at < since for since in known_since)
            and in_weights(records, record.version) <= set(standing)
        ):
            try:
                return registry.verify(record.version)
            except CorruptAdapter:
                continue
    return None


def erased(ledger: Ledger, namespace: Namespace) -> frozenset[str]:
    """Facts that adapters hold and the ledger no longer has."""
    held = {fact for record in ledger.adapters(namespace) for fact in record.facts}
    return frozenset(held - set(ledger.get_many(namespace, sorted(held))))


def remove_weights(registry: AdapterRegistry, facts: Collection[str]) -> list[str]:
    """Remove the files of every adapter, but the active one, whose weights were trained on any of `facts`; returns
    their versions."""
    active = registry.active()
    records = registry.list()
    return [
        record.version
        for record in records
        if record.files
        and (active is None or record.version != active.version)
        and not in_weights(records, record.version).isdisjoint(facts)
        and registry.remove(record.version)
    ]


def is_dreaming(lock: Path) -> bool:
    """Whether a dream that holds `lock` runs now."""
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def remove_training(folder: Path, lock: Path) -> bool:
    """Remove what a stopped dream left in its `folder`, which may hold any memory; whether there was something.

    A dream that runs now holds the `lock`: it is told, and removes what it made of a deleted memory itself."""
    try:
        with FileLock(lock, timeout=0):
            if not folder.exists():
                return False
            shutil.rmtree(folder)
            return True
    except Timeout:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ERASED).touch()
        return False
