"""What fusion promises, on random lists of scores."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridmem.retrieval.fusion import fuse

WEIGHTS = {"dense": 0.8, "lexical": 1.0, "graph": 0.3}
IDS = [f"m{number}" for number in range(8)]
finite = st.floats(-1e3, 1e3)
extreme = st.floats(allow_nan=True, allow_infinity=True)


def lists(values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, dict[str, float]]]:
    return st.fixed_dictionaries({name: st.dictionaries(st.sampled_from(IDS), values) for name in WEIGHTS})


def test_the_documented_formula() -> None:
    fused = fuse({"dense": {"a": 0.9, "b": 0.5}, "lexical": {"b": 4.0, "c": 1.0}}, {"dense": 2.0, "lexical": 1.0})
    # dense counts c with the list's minimum: 0.9, 0.5, 0.5; lexical counts a likewise: 1, 4, 1
    assert fused.of("a") == pytest.approx({"dense": 2 * math.sqrt(2), "lexical": -1 / math.sqrt(2)})
    assert fused.of("c") == pytest.approx({"dense": -2 / math.sqrt(2), "lexical": -1 / math.sqrt(2)})
    assert fused.of("nobody found this") == fused.of("c")
    assert fused.ranking() == ["a", "b", "c"]


def test_the_only_word_match_counts_where_the_list_was_not_cut_off() -> None:
    found = {"dense": {"a": 0.5, "b": 0.5}, "lexical": {"b": 3.0}}
    weights = {"dense": 1.0, "lexical": 1.0}
    assert fuse(found, weights).score("b") == fuse(found, weights).score("a")
    assert fuse(found, weights, {"lexical": 0.0}).ranking() == ["b", "a"]


def test_one_in_a_hundred_that_a_searcher_names_does_not_outweigh_what_the_others_say() -> None:
    dense = {f"m{number:03}": number / 100 for number in range(100)}
    found = {"dense": dense, "graph": {"m030": 1.0}}
    weights, floors = {"dense": 0.8, "graph": 0.3}, {"graph": 0.0}
    assert fuse(found, weights, floors).ranking()[0] == "m030", "its z-score is 9.9"
    limited = fuse(found, weights, floors, limits={"graph": 3.0})
    assert limited.ranking()[0] == "m099"
    assert limited.of("m030")["graph"] == pytest.approx(0.3 * (3 + 0.25 * (math.sqrt(99) - 3)))
    both = fuse({**found, "graph": {"m030": 1.0, "m060": 2.0}}, weights, floors, limits={"graph": 3.0})
    assert both.of("m060")["graph"] > both.of("m030")["graph"] > 0.9, "the more stays more"


def test_nothing_found() -> None:
    fused = fuse({"dense": {}, "lexical": {}}, WEIGHTS)
    assert fused.ranking() == [] and fused.score("a") == 0.0


@given(lists(extreme))
def test_no_score_is_nan(found: dict[str, dict[str, float]]) -> None:
    fused = fuse(found, WEIGHTS)
    assert all(math.isfinite(fused.score(id)) for id in [*fused.contributions, "another"])


@given(lists(finite), st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(found: dict[str, dict[str, float]], shuffler: random.Random) -> None:
    shuffled: dict[str, dict[str, float]] = {}
    for name in shuffler.sample(list(found), len(found)):
        shuffled[name] = dict(shuffler.sample(list(found[name].items()), len(found[name])))
    assert fuse(shuffled, WEIGHTS).ranking() == fuse(found, WEIGHTS).ranking()


def dominates(one: str, other: str, found: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether every searcher that names `other` gives `one` at least as much."""
    return all(one in scores and scores[one] >= scores[other] for scores in found.values() if other in scores)


@given(lists(finite))
def test_a_memory_that_no_searcher_likes_less_never_ranks_below(found: dict[str, dict[str, float]]) -> None:
    fused = fuse(found, WEIGHTS, limits={"graph": 1.0})
    for one in fused.contributions:
        for other in fused.contributions:
            if dominates(one, other, found):
                assert fused.score(one) >= fused.score(other)


@given(lists(finite), st.sampled_from(sorted(WEIGHTS)))
def test_a_memory_that_more_searchers_find_never_ranks_below_its_twin(
    found: dict[str, dict[str, float]], finder: str
) -> None:
    for scores in found.values():
        if "m0" in scores:
            scores["m1"] = scores["m0"]
        else:
            scores.pop("m1", None)
    found[finder].pop("m1", None)
    found[finder]["m0"] = 0.5
    fused = fuse(found, WEIGHTS)
    if "m1" in fused.contributions:
        assert fused.score("m0") >= fused.score("m1")


@given(lists(finite), st.floats(0.1, 10), st.floats(-10, 10))
def test_a_searchers_unit_does_not_matter(found: dict[str, dict[str, float]], unit: float, shift: float) -> None:
    found = {name: {id: round(score) for id, score in scores.items()} for name, scores in found.items()}
    moved = {**found, "dense": {id: unit * score + shift for id, score in found["dense"].items()}}
    before, after = fuse(found, WEIGHTS), fuse(moved, WEIGHTS)
    for id in before.contributions:
        assert after.score(id) == pytest.approx(before.score(id), abs=1e-6)


@example({"lexical": {"m0": 1e-308, "m1": 1.0}, "graph": {"m2": 0.0}}, {"m1"}, 0.0)
@given(lists(finite), st.sets(st.sampled_from(IDS), max_size=4), finite)
def test_what_stands_apart_moves_nothing_and_never_leads(
    found: dict[str, dict[str, float]], apart: set[str], other: float
) -> None:
    moved = {
        name: {id: other if id in apart else score for id, score in scores.items()} for name, scores in found.items()
    }
    before, after = (fuse(each, WEIGHTS, {"lexical": 0.0}, apart) for each in (found, moved))
    measured = [id for id in before.contributions if id not in apart]
    for id in measured:
        assert after.score(id) == pytest.approx(before.score(id), abs=1e-6)
    for id in apart & before.contributions.keys() if measured else ():
        for name, share in before.of(id).items():
            assert share <= max(before.of(each)[name] for each in measured) + 1e-9
