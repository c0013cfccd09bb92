"""Each mechanism shows what it is for, and its switch which part does it: the claims of the bench, three seeds."""

from __future__ import annotations

import functools

import pytest

from hybridmem.evaluation.suites.rules import BEHAVIOURS, SEEDS, Behaviour, BehaviourFigures, measured

EVERY = pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.mechanism)


@functools.cache
def figures(behaviour: Behaviour) -> BehaviourFigures:
    """Measured once, for the guide's tests too."""
    return measured(behaviour, SEEDS)


@EVERY
def test_the_claims_hold(behaviour: Behaviour) -> None:
    assert not [arm for arm in figures(behaviour).arms if not arm.held]


@EVERY
def test_something_is_claimed_that_could_fail(behaviour: Behaviour) -> None:
    """Of the mechanism itself, and of how it compares with itself without the part that matters."""
    first, second = behaviour.arms[:2]
    assert first.at_least is not None or behaviour.gain
    assert second.at_most is not None or behaviour.gain


@pytest.mark.slow
@EVERY
def test_the_claims_hold_with_other_seeds(behaviour: Behaviour) -> None:
    assert not [arm for arm in measured(behaviour, range(100, 110)).arms if not arm.held]
