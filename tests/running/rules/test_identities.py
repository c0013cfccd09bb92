"""Where one rule is another: the cases in which the papers say so, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hybridmem.running.rules.caching import Caching
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.dgd import DeltaGradientDescent
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.omega import Omega
from hybridmem.running.rules.ridge import Ridge
from hybridmem.running.rules.titans import Titans
from hybridmem.running.rules.ttt_linear import TTTLinear
from tests.running.rules.every_rule import gate, init, tokens
from tests.running.rules.test_contract import close

LENGTH = 53


def equal(one: Tensor, other: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("batch", [1, 9])
def test_omega_with_a_window_of_1_is_titans(batch: int) -> None:
    """Their θ of a token is Omega's weight γ of it, which is in the gradient, not its rate."""
    k, v, _ = tokens(LENGTH)
    theta, shared = (
        gate(LENGTH, 0, 0.3),
        {"momentum": gate(LENGTH, 0, 1, seed=6), "decay": gate(LENGTH, 0, 0.2, seed=7)},
    )
    omega, titans = Omega(window=1, rate=1.0, batch=batch), Titans(batch=batch)
    ours = omega.write(init(omega), k, v, {"weight": theta, **shared})
    theirs = titans.write(init(titans), k, v, {"rate": theta, **shared})
    equal(ours.memory, theirs.memory)
    equal(ours.momentum, theirs.momentum)
    wider = replace(omega, window=2)
    assert not torch.allclose(wider.write(init(wider), k, v, {"weight": theta, **shared}).memory, theirs.memory)


def test_titans_without_momentum_is_delta() -> None:
    k, v, _ = tokens(LENGTH)
    titans, rate = Titans(momentum=0.0), gate(LENGTH, 0, 1)
    ours = titans.write(init(titans), k, v, {"rate": rate})
    equal(ours.memory, Delta().write(init(Delta()), k, v, {"rate": rate}).memory)


def test_titans_without_momentum_is_gated_delta_once_rates_and_values_are_those_of_the_decayed_memory() -> None:
    """Titans errs at the memory before its decay, gated delta after it: (1−α) β = θ, and values (1−α) v."""
    k, v, _ = tokens(LENGTH)
    titans, theta, decay = Titans(momentum=0.0), gate(LENGTH, 0, 0.7), gate(LENGTH, 0, 0.2, seed=6)
    ours = titans.write(init(titans), k, v, {"rate": theta, "decay": decay}).memory
    keep = 1 - decay
    same = Delta().write(init(Delta()), k, keep[..., None] * v, {"rate": theta / keep, "decay": decay}).memory
    equal(ours, same)
    naive = Delta().write(init(Delta()), k, v, {"rate": theta, "decay": decay}).memory
    assert not torch.allclose(ours, naive, rtol=1e-2)


def test_plain_ttt_is_delta_with_a_step_for_each_token_and_hebbian_with_one_for_all() -> None:
    k, v, q = tokens(LENGTH)
    each, once = TTTLinear(rate=0.6, batch=1, plain=True), TTTLinear(rate=0.6 * LENGTH, batch=LENGTH, plain=True)
    state, delta = init(each), init(Delta())
    started = delta._replace(memory=state.weight)
    equal(each.read(each.write(state, k, v), q), Delta(rate=0.6).read(Delta(rate=0.6).write(started, k, v), q))
    empty = state._replace(weight=torch.zeros_like(state.weight))
    hebbian = Hebbian().write(init(Hebbian()), k, v)
    equal(once.read(once.write(empty, k, v), q), 0.6 * Hebbian().read(hebbian, q))


def test_omega_with_a_window_of_everything_goes_to_ridge() -> None:
    """A step on every token so far at once, often enough, is least squares."""
    k, v, q = tokens(LENGTH)
    omega, ridge = Omega(window=LENGTH, rate=0.05), Ridge(keep=1.0, ridge=1e-9)
    state = init(omega)
    for _ in range(10):
        state = omega.write(state, k, v)
    expected = ridge.read(ridge.write(init(ridge), k, v), q)
    assert (omega.read(state, q) - expected).norm() < 0.05 * expected.norm()


@pytest.mark.parametrize(("objective", "part"), [("dot", 1.0), ("l2", 0.5)])
def test_delta_gradient_descent_ends_at_the_value_or_at_half_of_it(objective: str, part: float) -> None:
    rule = DeltaGradientDescent(rate=0.4, objective=objective)  # type: ignore[arg-type]
    k, v, _ = tokens(1)
    state = init(rule)
    for _ in range(60):
        state = rule.write(state, k, v)
    equal(rule.read(state, k), part * v, 1e-6)


@pytest.mark.parametrize("objective", ["dot", "l2"])
def test_delta_gradient_descent_is_what_nested_learning_prints(objective: str) -> None:
    k, v, _ = tokens(LENGTH)
    rule, rate = DeltaGradientDescent(objective=objective), gate(LENGTH, 0, 0.5)  # type: ignore[arg-type]
    memory = torch.zeros(2, 2, 6, 6, dtype=torch.float64)
    for t in range(LENGTH):
        key, value, eta = k[..., t, :, None], v[..., t, None, :], rate[..., t, None, None]
        gradient = -key @ value if objective == "dot" else key @ (key.mT @ memory - value)
        memory = memory - eta * key @ (key.mT @ memory) - eta * gradient
    equal(rule.write(init(rule), k, v, {"rate": rate}).memory, memory)


def test_deleting_from_the_statistics_is_never_having_written() -> None:
    k, v, q = tokens(LENGTH)
    rule = Ridge(keep=0.97)
    gone = torch.tensor([0, 7, 8, LENGTH - 1])
    kept = torch.tensor([t for t in range(LENGTH) if t not in gone])
    erased = rule.erased(rule.write(init(rule), k, v), k[..., gone, :], v[..., gone, :], LENGTH - 1 - gone)
    # Never written: no token in its place, but the time that passed with it.
    never = init(rule)
    for t in range(LENGTH):
        present = 1.0 if t in kept else 0.0
        never = rule.write(never, present * k[..., t : t + 1, :], present * v[..., t : t + 1, :])
    close(erased, never, 1e-10)
    equal(rule.read(erased, q), rule.read(never, q))


def test_deleting_in_float32_is_close_enough() -> None:
    k, v, q = tokens(LENGTH, dtype=torch.float32)
    rule = Ridge(keep=1.0, ridge=0.1)
    gone = torch.arange(10, 20)
    state = rule.write(init(rule, dtype=torch.float32), k, v)
    erased = rule.erased(state, k[..., gone, :], v[..., gone, :], LENGTH - 1 - gone)
    kept = [t for t in range(LENGTH) if t not in gone]
    never = rule.write(init(rule, dtype=torch.float32), k[..., kept, :], v[..., kept, :])
    equal(rule.read(erased, q), rule.read(never, q), 1e-5)


@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_ridge_reads_after_many_keys_of_nearly_one_direction(spread: float) -> None:
    """Their covariance has no rank to speak of, and float32 has rounded it thousands of times."""
    drawn = torch.Generator().manual_seed(0)
    k = torch.ones(1, 1, 20_000, 32) / 32**0.5 + spread * torch.randn(1, 1, 20_000, 32, generator=drawn)
    v = torch.randn(1, 1, 1, 4, generator=drawn).expand(1, 1, 20_000, 4)
    rule = Ridge(keep=1.0, ridge=1e-6)
    read = rule.read(rule.write(rule.init(1, 1, 32, 4), k, v), k[..., :1, :])
    torch.testing.assert_close(read, v[..., :1, :], rtol=0.02, atol=0.02)


def test_gated_caching_of_a_linear_memory_is_soup() -> None:
    k, v, q = tokens(LENGTH)
    gated = Caching(segment=13)
    state = gated.write(init(gated), k, v)
    equal(gated.read(state, q), replace(gated, choice="soup").read(state, q))


def test_gated_caching_of_a_memory_that_is_not_linear_is_no_soup() -> None:
    k, v, q = tokens(LENGTH)
    gated = Caching(rule=TTTLinear(rate=0.02, batch=4), segment=13, sharpness=1.0)
    state = gated.write(init(gated), k, v)
    assert not torch.allclose(gated.read(state, q), replace(gated, choice="soup").read(state, q), rtol=1e-2)


def test_residual_caching_of_a_linear_memory_is_one_matrix() -> None:
    k, v, q = tokens(LENGTH)
    rule = Caching(segment=13, choice="residual")
    state = rule.write(init(rule), k, v)
    equal(rule.read(state, q), q @ (state.segments.memory.sum(0) + state.online.memory))


def test_caching_that_goes_on_ends_with_the_memory_of_all() -> None:
    k, v, q = tokens(LENGTH)
    rule = Caching(segment=13, choice="online", fresh=False)
    equal(rule.read(rule.write(init(rule), k, v), q), Delta().read(Delta().write(init(Delta()), k, v), q))
