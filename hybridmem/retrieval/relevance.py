"""How probable it is that a memory bears on a query: a figure from 0 to 1 that means the same for every query, every
memory and every embedding model. `min_score` cuts by it.

It is a logistic regression on what can be compared across queries: the cosine of the two, and the share of the query's
words that the memory has. What it was fitted on, and how well it holds, is in docs/filters.md. The ranking goes by the
fused score and not by this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hybridmem.core.text.tokens import query_terms, tokens
from hybridmem.embedding.base import Embedder
from hybridmem.retrieval.anchor_pairs import PAIRS

_STEM = 4
"""Letters that two forms of a word have in common at least."""
_ENDING = 3
"""Letters at most by which two forms of a word differ at the end."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of the regression, for one embedding model."""

    bias: float
    cosine: float
    coverage: float

    def probability(self, cosine: float, coverage: float) -> float:
        logit = self.bias + self.cosine * cosine + self.coverage * coverage
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))


@dataclass(frozen=True, slots=True)
class Anchors:
    """The mean cosine of the related and of the unrelated texts of `PAIRS`."""

    related: float
    unrelated: float


DEFAULT = "all-MiniLM-L6-v2"
WORDS_ALONE = Calibration(bias=-3.08, cosine=0.0, coverage=8.86)
"""For models whose cosine says little."""
CALIBRATIONS: Mapping[str, Calibration] = {
    DEFAULT: Calibration(bias=-10.87, cosine=21.72, coverage=5.05),
    "hashing-256": WORDS_ALONE,
}
"""By the name of the embedding model."""
DEFAULT_ANCHORS = Anchors(related=0.521, unrelated=0.077)
"""Of the default model."""
LEAST_SPREAD = 0.1
"""The least difference between related and unrelated texts for which a model's cosine is used."""
_MEASURED: dict[str, Anchors] = {}
"""Of other models, in this process."""


def coverage(query: str, text: str) -> float:
    """The share of the query's content words that `text` has, in whatever form.

    >>> coverage("Where did Ana adopt the ferrets?", "Ana: I adopted a ferret.")
    1.0
    """
    wanted = [term for phrase in query_terms(query) for term in tokens(phrase)]
    if not wanted:
        return 0.0
    there = set(tokens(text))
    by_stem: dict[str, list[str]] = {}
    for word in there:
        by_stem.setdefault(word[:_STEM], []).append(word)
    return sum(any(_same_word(term, word) for word in by_stem.get(term[:_STEM], ())) for term in wanted) / len(wanted)


def _same_word(one: str, other: str) -> bool:
    common = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one == other or (common >= _STEM and max(len(one), len(other)) - common <= _ENDING)


def calibration(embedder: Embedder) -> Calibration:
    """The regression for `embedder`: as fitted for the models that come with hybridmem. For any other, the default
    model's, with cosines moved and stretched until the texts of `PAIRS` have those of the default model; they are
    embedded once in a process."""
    fitted = CALIBRATIONS.get(embedder.name)
    if fitted is None:
        anchors = _MEASURED.get(embedder.name)
        if anchors is None:
            anchors = _MEASURED[embedder.name] = measured(embedder)
        fitted = moved(anchors)
    return fitted


def measured(embedder: Embedder) -> Anchors:
    """The anchors of any embedding model."""
    cosines = embedder.embed([question for question, _ in PAIRS]) @ embedder.embed([said for _, said in PAIRS]).T
    related = float(np.trace(cosines)) / len(PAIRS)
    return Anchors(related, (float(cosines.sum()) - related * len(PAIRS)) / (len(PAIRS) * (len(PAIRS) - 1)))


def moved(anchors: Anchors) -> Calibration:
    """The default model's calibration for one with these `anchors`. A model that does not tell related texts from
    unrelated ones is not asked: then the words decide alone."""
    default = CALIBRATIONS[DEFAULT]
    spread = anchors.related - anchors.unrelated
    if spread < LEAST_SPREAD:
        return WORDS_ALONE
    slope = default.cosine * (DEFAULT_ANCHORS.related - DEFAULT_ANCHORS.unrelated) / spread
    bias = default.bias + default.cosine * DEFAULT_ANCHORS.unrelated - slope * anchors.unrelated
    return Calibration(bias, slope, default.coverage)
