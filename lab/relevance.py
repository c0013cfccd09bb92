"""Fit the calibration of relevance (`hybridmem.retrieval.relevance`) on LoCoMo conversations.

    python -m lab.relevance ../shared/data/locomo_dev/locomo_dev.json

The evidence of a question bears on it. The memories of another conversation that rank highest for it do not: they are
what a search shows when nothing bears on the query. Both kinds weigh the same. Each conversation is also held out once,
and the figures on it are those in docs/filters.md.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridmem import embedding
from hybridmem.core.records import Episode
from hybridmem.embedding.base import Embedder
from hybridmem.importers import locomo
from hybridmem.retrieval.relevance import DEFAULT, coverage, measured
from hybridmem.retrieval.settings import RetrievalSettings
from hybridmem.stores.index import chunks

CONVERSATIONS, TURNS, QUESTIONS, HARDEST = 3, 400, 120, 3
RIDGE = 1e-3
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One conversation with the questions that are asked about it."""

    texts: list[str]
    ids: list[str]
    vectors: list[Array]
    """Of each turn's parts."""
    questions: list[locomo.Question]
    queries: Array


def main(path: str) -> None:
    """Print the anchors, the figures on each held-out conversation, and the fit on all."""
    conversations = list(locomo.load(Path(path)))[:CONVERSATIONS]
    chosen = random.Random(0)  # noqa: S311 - which questions are drawn is no secret
    for name, words_alone in (("hashing", True), (DEFAULT, False)):
        embedder = embedding.load(name)
        sys.stdout.write(f"{name}: {measured(embedder)}\n")
        asked = [_asked(conversation, embedder, chosen) for conversation in conversations]
        signals, bears, group = _pairs(asked, words_alone=words_alone)
        for held_out in range(len(asked)):
            apart = group == held_out
            weights = _fit(signals[~apart], bears[~apart])
            sys.stdout.write(f"  held out {held_out}: {_figures(signals[apart], bears[apart], weights)}\n")
        sys.stdout.write(f"  bias, cosine, coverage: {_fit(signals, bears).round(2)}\n")


def _asked(conversation: locomo.Conversation, embedder: Embedder, chosen: random.Random) -> Asked:
    turns = conversation.turns[:TURNS]
    texts, ids = [f"{turn.speaker}: {turn.text}" for turn in turns], [str(t.metadata.get("dia_id")) for t in turns]
    questions = [
        each
        for each in conversation.questions
        if each.category in locomo.ANSWERABLE and each.evidence and set(each.evidence) <= set(ids)
    ]
    chosen.shuffle(questions)
    questions = questions[:QUESTIONS]
    said = [Episode(each.key or "", ("lab",), each.text, speaker=each.speaker) for each in turns]
    vectors = chunks.vectors_of(said, embedder.embed, chunks.max_tokens(embedder))
    return Asked(texts, ids, vectors, questions, embedder.embed([each.text for each in questions]))


def _pairs(asked: Sequence[Asked], *, words_alone: bool) -> tuple[Array, Array, Array]:
    """(cosine and coverage, whether the memory bears on the question, the conversation) of each pair."""
    rows: list[tuple[float, float, int, int]] = []
    settings = RetrievalSettings()
    for number, own in enumerate(asked):
        other = asked[(number + 1) % len(asked)]
        for question, query in zip(own.questions, own.queries, strict=True):
            for evidence in question.evidence:
                at = own.ids.index(evidence)
                rows.append((float((own.vectors[at] @ query).max()), coverage(question.text, own.texts[at]), 1, number))
            cosines = np.array([(vectors @ query).max() for vectors in other.vectors])
            shares = np.array([coverage(question.text, text) for text in other.texts])
            ranks = settings.dense * _standard(cosines) + settings.lexical * _standard(shares)
            rows += [(float(cosines[at]), float(shares[at]), 0, number) for at in np.argsort(-ranks)[:HARDEST]]
    table = np.array(rows)
    signals = table[:, :2] * ([0, 1] if words_alone else [1, 1])
    return signals, table[:, 2], table[:, 3]


def _standard(values: Array) -> Array:
    standard: Array = (values - values.mean()) / (values.std() + 1e-9)
    return standard


def _fit(signals: Array, bears: Array) -> Array:
    """Logistic regression by Newton's method, both classes of the same weight."""
    inputs, weights = np.c_[np.ones(len(signals)), signals], np.zeros(1 + signals.shape[1])
    share = np.where(bears == 1, 0.5 / bears.mean(), 0.5 / (1 - bears.mean()))
    for _ in range(50):
        p = _probabilities(signals, weights)
        gradient = inputs.T @ (share * (bears - p)) - RIDGE * weights
        curvature = (inputs * (share * p * (1 - p))[:, None]).T @ inputs + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, gradient)
    return weights


def _probabilities(signals: Array, weights: Array) -> Array:
    logits = np.c_[np.ones(len(signals)), signals] @ weights
    probabilities: Array = 1 / (1 + np.exp(-logits))
    return probabilities


def _figures(signals: Array, bears: Array, weights: Array) -> dict[str, float]:
    p = _probabilities(signals, weights)
    ranks, positive = p.argsort().argsort(), int(bears.sum())
    area = (ranks[bears == 1].sum() - positive * (positive - 1) / 2) / (positive * (len(bears) - positive))
    kept = {
        f"{name} kept at 0.5": float((p[bears == of] >= 0.5).mean()) for name, of in (("evidence", 1), ("unrelated", 0))
    }
    return {"area under the curve": round(float(area), 3), **{name: round(share, 3) for name, share in kept.items()}}


if __name__ == "__main__":
    main(sys.argv[1])
