"""Which runs a comparison is made of, and what they are called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.comparison.trial import Trial, trials

some_trial = st.builds(
    Trial,
    strategy=st.sampled_from(["replay", "replay-loss", "naive"]),
    seed=st.integers(-3, 30),
    learning_rate=st.none() | st.floats(1e-6, 1),
    token_budget=st.none() | st.integers(1, 10**6),
    gate=st.none() | st.booleans(),
    shuffle_labels=st.booleans(),
)


@settings(deadline=None)
@given(some_trial, some_trial)
def test_trials_have_one_name_only_when_they_are_equal(one, other):
    assert (one.name == other.name) == (one == other)
    assert (one.label == other.label) == (one.unseeded == other.unseeded)
    assert not set(one.name) & set(" /\\:")


@settings(deadline=None)
@given(some_trial)
def test_a_trial_survives_json(trial):
    assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial


def test_every_strategy_at_every_rate_with_every_seed():
    grid = trials(["replay", "naive"], seeds=[0, 1, 2], learning_rates=(0.1, 0.01), token_budget=9, gate=False)
    assert len(grid) == 12
    assert grid[:4] == (
        *(Trial("replay", seed, 0.1, 9, False) for seed in range(3)),
        Trial("replay", 0, 0.01, 9, False),
    )


def test_what_trains_nothing_is_one_trial_without_settings():
    grid = trials(["retrieval", "replay"], seeds=[4, 5], learning_rates=(0.1, 0.2), token_budget=9, gate=True)
    assert [trial for trial in grid if trial.strategy == "retrieval"] == [Trial("retrieval", 4)]


def test_the_controls_are_noop_and_shuffled_labels_for_every_seed():
    grid = trials(["retrieval", "naive", "replay"], seeds=[0, 1], learning_rates=(0.1, 0.2), controls=True)
    added = grid[len(trials(["retrieval", "naive", "replay"], seeds=[0, 1], learning_rates=(0.1, 0.2))) :]
    assert added == (
        Trial("noop", 0),
        *(Trial("naive", seed, 0.1, shuffle_labels=True) for seed in (0, 1)),
    )
    assert trials(["noop"], controls=True) == (Trial("noop"),)


def test_the_same_trial_is_run_once():
    assert len(trials(["replay", "replay"], seeds=[0, 0], learning_rates=(0.1, 0.1))) == 1


def test_an_unknown_strategy_in_a_list_is_named():
    with pytest.raises(InvalidInput, match="no strategy is called 'magic'"):
        trials(["replay", "magic"])


@pytest.mark.parametrize(
    ("given_too", "what"),
    [({"learning_rates": (0.1,)}, "learning rate"), ({"token_budget": 9}, "token budget"), ({"gate": False}, "gate")],
)
def test_settings_that_no_strategy_takes_are_refused(given_too, what):
    with pytest.raises(InvalidInput, match=f"none of noop, retrieval ever dreams: leave the {what} out"):
        trials(["noop", "retrieval"], **given_too)
