"""The promise in small: what was deleted or superseded is not answered from the weights. On the fake model."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming import recipes
from hybridmem.evaluation.fiction import Relation
from hybridmem.evaluation.suites.unlearning import PROBES, auc, compared, inferred, min_k, run
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel

LIVES = Relation(
    name="lives in",
    subject="person",
    object="city",
    statements=("{s} lives in {o}.",),
    updates=("{s} lives in {o}.",),
    questions=("Where does {s} live?", "In which city does {s} live?"),
    indirect=(),
    dated="Where did {s} live on {d}?",
)
"""A relation that the fake model reads."""
UNGATED = replace(recipes.load("default"), gate=None)


def opened(place: Path) -> AbstractContextManager[HybridMemory]:
    return HybridMemory.open(place, namespace=("bench",), model=FakeModel(), embedder="hashing", vectors="memory")


def test_what_is_deleted_or_superseded_is_not_answered_from_the_weights(tmp_path: Path) -> None:
    lines: list[str] = []
    found = run(
        tmp_path, opened, lines.append, nights=4, facts=3, deleted=2, superseded=1, recipe=UNGATED, kinds=[LIVES] * 3
    )
    assert found.forgotten, found
    assert set(found.probes) == set(PROBES)
    for name in ("direct", "paraphrase", "reversed"):
        assert found.probes[name].after == found.probes[name].never == 0.0
    # The probes can tell: the adapter before held what they ask for.
    assert found.probes["direct"].before > 0 or found.probes["paraphrase"].before > 0
    assert found.unlearning.parent == "v0002"
    assert found.retraining.parent is None
    assert found.token_ratio is not None
    assert found.token_ratio > 1
    assert (found.from_night, len(lines)) == (3, 4 + 2 + 4)


def test_weights_that_kept_it_are_found_out() -> None:
    assert not compared([1, 1, 1], [1, 1, 1], [0, 0, 0], seed=0).forgotten
    assert compared([1, 1, 1], [0, 0, 0], [0, 0, 0], seed=0).forgotten
    held, unseen = [-0.1, -0.2, -0.3], [-4.0, -5.0, -3.0, -6.0]
    kept = inferred(held, unseen, held, unseen, seed=0)
    assert (kept.auc_before, kept.auc, kept.forgotten) == (1.0, 1.0, False)
    gone = inferred(held, unseen, [-4.1, -5.5, -2.9], unseen, seed=0)
    assert gone.forgotten
    assert gone.interval[0] <= gone.auc <= gone.interval[1]


@pytest.mark.parametrize("numbers", [{"deleted": 0}, {"facts": 2, "deleted": 3}, {"from_night": 9}])
def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, numbers: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        run(tmp_path, opened, **numbers)  # type: ignore[arg-type]


SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, SCORES)
def test_the_auc_counts_pairs(members: list[int], others: list[int]) -> None:
    pairs = [1.0 if m > o else 0.5 if m == o else 0.0 for m in members for o in others]
    assert auc(members, others) == pytest.approx(sum(pairs) / len(pairs))
    assert auc(members, others) + auc(others, members) == pytest.approx(1.0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(-50, 0), min_size=1, max_size=40))
def test_min_k_lies_between_the_least_and_the_mean(logprobs: list[float]) -> None:
    assert min(logprobs) - 1e-9 <= min_k(logprobs) <= sum(logprobs) / len(logprobs) + 1e-9
