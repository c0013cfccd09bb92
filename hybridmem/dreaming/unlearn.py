"""Step 8: what was deleted leaves the weights, and a probe proves it.

An adapter that holds a deleted memory is never mended: the next dream rebuilds from the bare base without it, which
is exact unlearning (Bourtoule et al. 2021, arXiv:1912.03817), and every adapter file that held it is removed. A
superseded value is overwritten by its successor, and probed for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.metrics import right
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel


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
        told = model.generate(asked)
        own = model.logprobs(asked, wanted)
    return [
        Probe(question, right(said.text, answer), said.text, math.exp(sum(lp)), math.exp(sum(base_lp)))
        for (question, answer), said, lp, base_lp in zip(pairs, told, own, base, strict=True)
    ]


def remove_weights(registry: AdapterRegistry, facts: Sequence[str]) -> list[str]:
    """Remove the files of every adapter, but the active one, that holds any of `facts`; returns their versions."""
    active = registry.active()
    removed = []
    for record in registry.list():
        if set(record.facts) & set(facts) and (active is None or record.version != active.version):
            if registry.remove(record.version):
                removed.append(record.version)
    return removed
