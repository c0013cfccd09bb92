"""Each rule against its paper's recurrence, written token by token as it is printed, with autograd's gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm

from hybridmem.running.rules import files
from hybridmem.running.rules.bdh import BASE, BDH
from hybridmem.running.rules.caching import Caching
from hybridmem.running.rules.continuum import Continuum
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.normed_loss import EPSILON, normed, normed_gradient
from hybridmem.running.rules.omega import Omega, newton_schulz
from hybridmem.running.rules.ridge import Ridge
from hybridmem.running.rules.titans import Titans
from hybridmem.running.rules.ttt_linear import TTTLinear
from hybridmem.running.rules.ttt_mlp import TTTMLP, gelu_slope
from tests.running.rules.every_rule import gate, init, tokens

LENGTH = 41
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def one_of(state: Any, name: str) -> Tensor:
    """A tensor of the second head of the first sequence."""
    return files.tensors(state)[name][0, 1]


def test_hebbian() -> None:
    k, v, q = tokens(LENGTH, m=5)
    decay = gate(LENGTH, 0, 0.3)
    state = Hebbian().write(init(Hebbian(), m=5), k, v, {"decay": decay}, chunk=16)
    memory = torch.zeros(6, 5, dtype=torch.float64)
    for t in range(LENGTH):
        memory = (1 - decay[0, 1, t]) * memory + torch.outer(k[0, 1, t], v[0, 1, t])
    torch.testing.assert_close(one_of(state, "memory"), memory, **CLOSE)
    torch.testing.assert_close(Hebbian().read(state, q)[0, 1, 3], q[0, 1, 3] @ memory, **CLOSE)


@pytest.mark.parametrize("lowest", [0.0, 1.0])
def test_gated_delta(lowest: float) -> None:
    k, v, _ = tokens(LENGTH, m=5)
    rate, decay = gate(LENGTH, 0, 1), gate(LENGTH, 0, 0.3, seed=6)
    decay[..., 20] = lowest  # at 1 everything is forgotten
    state = Delta().write(init(Delta(), m=5), k, v, {"rate": rate, "decay": decay}, chunk=16)
    memory = torch.zeros(6, 5, dtype=torch.float64)
    for t in range(LENGTH):
        memory = (1 - decay[0, 1, t]) * memory
        memory = memory + rate[0, 1, t] * torch.outer(k[0, 1, t], v[0, 1, t] - k[0, 1, t] @ memory)
    torch.testing.assert_close(one_of(state, "memory"), memory, **CLOSE)


def recursive(k: Tensor, v: Tensor, keep: float, ridge: float) -> Tensor:
    """The memory by recursive least squares."""
    memory = torch.zeros(k.shape[-1], v.shape[-1], dtype=k.dtype)
    inverse = torch.eye(k.shape[-1], dtype=k.dtype) / ridge
    for key, value in zip(k, v, strict=True):
        gain = inverse @ key / (keep + key @ inverse @ key)
        memory = memory + torch.outer(gain, value - key @ memory)
        inverse = (inverse - torch.outer(gain, key @ inverse)) / keep
    return memory


def test_ridge_without_forgetting_is_recursive_least_squares_and_the_normal_equations() -> None:
    k, v, q = tokens(LENGTH, m=5)
    rule = Ridge(keep=1.0, ridge=0.1)
    read = rule.read(rule.write(init(rule, m=5), k, v, chunk=16), q)[0, 1]
    keys, values = k[0, 1], v[0, 1]
    torch.testing.assert_close(read, q[0, 1] @ recursive(keys, values, 1.0, 0.1), **CLOSE)
    normal = torch.linalg.solve(keys.T @ keys + 0.1 * torch.eye(6, dtype=torch.float64), keys.T @ values)
    torch.testing.assert_close(read, q[0, 1] @ normal, **CLOSE)


def test_with_forgetting_the_recursive_form_lets_the_ridge_fade() -> None:
    k, v, q = tokens(LENGTH, m=5)
    rule = Ridge(keep=0.9, ridge=0.1)
    read = rule.read(rule.write(init(rule, m=5), k, v, chunk=16), q)[0, 1]
    faded = Ridge(keep=0.9, ridge=0.1 * 0.9**LENGTH)
    recursive_read = q[0, 1] @ recursive(k[0, 1], v[0, 1], 0.9, 0.1)
    assert not torch.allclose(read, recursive_read, rtol=1e-3)
    torch.testing.assert_close(faded.read(faded.write(init(faded, m=5), k, v), q)[0, 1], recursive_read, **CLOSE)


def slope(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Autograd's gradient of a loss at a memory."""
    at = at.detach().requires_grad_()
    found: Tensor = torch.autograd.grad(loss(at), at)[0]
    return found


@pytest.mark.parametrize("batch", [1, 9])
def test_titans(batch: int) -> None:
    k, v, _ = tokens(LENGTH, m=5)
    rate, momentum, decay = gate(LENGTH, 0, 0.2), gate(LENGTH, 0, 1, seed=6), gate(LENGTH, 0, 0.2, seed=7)
    momentum[..., 20] = 0
    gates = {"rate": rate, "momentum": momentum, "decay": decay}
    rule = Titans(batch=batch)
    state = rule.write(init(rule, m=5), k, v, gates, chunk=4)
    memory = surprise = torch.zeros(6, 5, dtype=torch.float64)
    for t in range(LENGTH):
        if t % batch == 0:
            anchor = memory
        key, value = k[0, 1, t], v[0, 1, t]
        gradient = slope(lambda at, key=key, value=value: 0.5 * (key @ at - value).square().sum(), anchor)
        surprise = momentum[0, 1, t] * surprise - rate[0, 1, t] * gradient
        memory = (1 - decay[0, 1, t]) * memory + surprise
    torch.testing.assert_close(one_of(state, "memory"), memory, **CLOSE)
    torch.testing.assert_close(one_of(state, "momentum"), surprise, **CLOSE)


@pytest.mark.parametrize(("batch", "orthogonal"), [(1, False), (9, False), (9, True)])
def test_omega(batch: int, orthogonal: bool) -> None:
    k, v, _ = tokens(LENGTH, m=5)
    rate, momentum, decay = gate(LENGTH, 0, 0.1), gate(LENGTH, 0, 1, seed=6), gate(LENGTH, 0, 0.2, seed=7)
    weight = gate(LENGTH, 0, 1, seed=8)
    rule = Omega(window=4, batch=batch, orthogonal=orthogonal)
    gates = {"rate": rate, "momentum": momentum, "decay": decay, "weight": weight}
    state = rule.write(init(rule, m=5), k, v, gates, chunk=5)
    memory = direction = torch.zeros(6, 5, dtype=torch.float64)
    for t in range(LENGTH):
        if t % batch == 0:
            anchor = memory
        window = slice(max(0, t - 3), t + 1)

        def loss(at: Tensor, window: slice = window) -> Tensor:
            wrong = (k[0, 1, window] @ at - v[0, 1, window]).square().sum(-1)
            return 0.5 * (weight[0, 1, window] * wrong).sum()

        kept = (1 - decay[0, 1, t]) * memory
        if orthogonal:
            direction = momentum[0, 1, t] * direction - slope(loss, anchor)
            memory = kept + rate[0, 1, t] * newton_schulz(direction)
        else:
            direction = momentum[0, 1, t] * direction - rate[0, 1, t] * slope(loss, anchor)
            memory = kept + direction
    torch.testing.assert_close(one_of(state, "memory"), memory, **CLOSE)


def test_features_of_degree_2_are_a_polynomial_of_the_product() -> None:
    x, y = tokens(10)[0], tokens(10, seed=1)[0]
    rule = Omega(degree=2)
    product = (x * y).sum(-1)
    features = (rule._features(x) * rule._features(y)).sum(-1)
    torch.testing.assert_close(features, 1 + product + product**2 / 2, **CLOSE)


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9)])
def test_newton_schulz_leaves_singular_values_near_1(shape: tuple[int, int]) -> None:
    matrix = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    orthogonal = newton_schulz(100 * matrix)
    assert ((values := torch.linalg.svdvals(orthogonal)) > 0.3).all() and (values < 1.3).all()
    torch.testing.assert_close(orthogonal, newton_schulz(matrix), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_slope_of_the_normed_loss_is_autograds(dtype: torch.dtype) -> None:
    z, target, gain = (each.clone() for each in tokens(12, dtype=dtype))
    shift = torch.flip(target, dims=(0,))
    assert_close = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else CLOSE
    ours = normed_gradient(z, target, gain, shift)
    theirs = slope(lambda at: 0.5 * (gain * layer_norm(at, (6,), eps=EPSILON) + shift - target).square().sum(), z)
    torch.testing.assert_close(ours, theirs, **assert_close)
    torch.testing.assert_close(normed(z, gain, shift), gain * layer_norm(z, (6,), eps=EPSILON) + shift, **assert_close)


def test_the_slope_of_gelu_is_autograds() -> None:
    x = torch.linspace(-6, 6, 101, dtype=torch.float64)
    torch.testing.assert_close(gelu_slope(x), slope(lambda at: gelu(at, approximate="tanh").sum(), x), **CLOSE)


class Reference:
    """TTT of one head as the paper has it: gradients at the mini-batch's start, a token's own mean step."""

    def __init__(self, state: Any, forward: Callable[[dict[str, Tensor], Tensor], Tensor]) -> None:
        self.start = {name: each[0, 1] for name, each in files.tensors(state).items() if name in self.learned(state)}
        self.forward, self.sums, self.count = forward, dict.fromkeys(self.start, torch.zeros(())), 0

    @staticmethod
    def learned(state: Any) -> set[str]:
        names = {"weight", "bias"} | {f"layers.{name}" for name in ("first", "first_bias", "second", "second_bias")}
        return names & files.tensors(state).keys()

    def step(self, loss: Callable[[Tensor], Tensor], key: Tensor, rate: Tensor, batch: int) -> None:
        at = {name: each.detach().requires_grad_() for name, each in self.start.items()}
        gradients = torch.autograd.grad(loss(self.forward(at, key)), list(at.values()))
        for name, gradient in zip(at, gradients, strict=True):
            self.sums[name] = self.sums[name] + rate * gradient
        self.count += 1
        if self.count == batch:
            self.start, self.sums, self.count = self.now(), dict.fromkeys(self.start, torch.zeros(())), 0

    def now(self) -> dict[str, Tensor]:
        return {name: each - self.sums[name] / max(self.count, 1) for name, each in self.start.items()}


def linear(at: dict[str, Tensor], x: Tensor) -> Tensor:
    return x + layer_norm(x @ at["weight"] + at["bias"][0], (6,), eps=EPSILON)


def mlp(at: dict[str, Tensor], x: Tensor) -> Tensor:
    hidden = gelu(x @ at["layers.first"] + at["layers.first_bias"][0], approximate="tanh")
    return x + layer_norm(hidden @ at["layers.second"] + at["layers.second_bias"][0], (6,), eps=EPSILON)


@pytest.mark.parametrize(
    ("rule", "forward"),
    [(TTTLinear(batch=8), linear), (TTTMLP(batch=8, deviation=0.3), mlp)],
    ids=["linear", "mlp"],
)
def test_ttt(rule: Any, forward: Callable[[dict[str, Tensor], Tensor], Tensor]) -> None:
    k, v, q = tokens(LENGTH)
    rate = gate(LENGTH, 0, 0.05)
    state = init(rule)
    reference = Reference(state, forward)
    for t in range(LENGTH):
        one = slice(t, t + 1)
        state = rule.write(state, k[..., one, :], v[..., one, :], {"rate": rate[..., one]})
        # ½‖k + LN(kW + b) − v‖², which is the distance of LN(kW + b) from the target v − k.
        reference.step(lambda out, t=t: 0.5 * (out - v[0, 1, t]).square().sum(), k[0, 1, t], rate[0, 1, t], 8)
        read = rule.read(state, q[..., one, :])[0, 1, 0]
        torch.testing.assert_close(read, forward(reference.now(), q[0, 1, t]), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("rotary", [False, True])
def test_bdh_is_attention_without_softmax_over_earlier_tokens(rotary: bool) -> None:
    k, v, _ = tokens(LENGTH, m=5)
    rule = BDH(neurons=32, keep=0.5, rotary=rotary)
    state = init(rule, m=5)
    fired = rule.fire(state, k)
    pair = (torch.arange(32) // 2) * 2
    angle = torch.arange(LENGTH, dtype=torch.float64)[:, None] * BASE ** (-pair / 32)
    crossed = torch.stack([-fired[..., 1::2], fired[..., ::2]], dim=-1).flatten(-2)
    turned = fired * angle.cos() + crossed * angle.sin() if rotary else fired
    parallel = (turned @ turned.mT).tril(-1) @ v
    for t in range(LENGTH):
        one = slice(t, t + 1)
        torch.testing.assert_close(
            rule.read(state, k[..., one, :])[..., 0, :], parallel[..., t, :], rtol=1e-6, atol=1e-6
        )
        state = rule.write(state, k[..., one, :], v[..., one, :])


def test_so_many_neurons_of_bdh_fire() -> None:
    k = tokens(30)[0]
    rule = BDH(neurons=64, keep=0.05)
    fired = rule.fire(init(rule), k)
    assert (fired >= 0).all()
    assert ((fired > 0).sum(-1) == 3).all()


def test_continuum() -> None:
    k, v, q = tokens(LENGTH, m=5)
    rule = Continuum(period=8, fast_decay=0.1, slow_rate=0.2)
    state = rule.write(init(rule, m=5), k, v, chunk=5)
    fast = slow = pending = torch.zeros(6, 5, dtype=torch.float64)
    for t in range(LENGTH):
        key, value = k[0, 1, t], v[0, 1, t]
        fast = 0.9 * fast
        fast = fast + torch.outer(key, value - key @ fast)
        pending = pending + 0.2 * torch.outer(key, value - key @ slow)
        if t % 8 == 7:
            slow, pending = slow + pending, torch.zeros_like(pending)
    for name, each in (("fast", fast), ("slow", slow), ("pending", pending)):
        torch.testing.assert_close(one_of(state, name), each, **CLOSE)
    read = rule.read(state, q)[0, 1]
    trusted = (q[0, 1] @ fast).norm(dim=-1) > 0.6
    assert 0 < trusted.sum() < LENGTH
    torch.testing.assert_close(read, torch.where(trusted[:, None], q[0, 1] @ fast, q[0, 1] @ slow), **CLOSE)


def test_caching_reads_the_end_of_every_segment() -> None:
    k, v, q = tokens(LENGTH, m=5)
    rule = Caching(rule=Delta(rate=0.5), segment=13, sharpness=3)
    state = rule.write(init(rule, m=5), k, v, chunk=7)
    keys, values = k.split(13, dim=-2), v.split(13, dim=-2)
    memories = [Delta(rate=0.5).write(init(Delta(), m=5), *part).memory for part in zip(keys, values, strict=True)]
    weights = torch.stack([3 * (q * part.mean(-2, keepdim=True)).sum(-1) for part in keys], dim=-1).softmax(-1)
    expected = sum(weights[..., i : i + 1] * (q @ memory) for i, memory in enumerate(memories))
    torch.testing.assert_close(rule.read(state, q), expected, **CLOSE)


@pytest.mark.parametrize("fresh", [True, False])
def test_caching_reads_no_segment_that_has_not_begun(fresh: bool) -> None:
    k, _, q = tokens(16)
    rule = Caching(segment=8, fresh=fresh)
    assert (rule.weights(rule.write(init(rule), k, k), q)[..., -1] == 0).all()
    assert (rule.weights(init(rule), q) == 1).all(), "before the first segment's end there is nothing else"


def test_caching_of_the_top_reads_those_and_the_online_one() -> None:
    k, _, q = tokens(LENGTH)
    rule = Caching(segment=8, choice="top", top=2)
    state = rule.write(init(rule), k, k)
    weights = rule.weights(state, q)
    assert weights.shape[-1] == LENGTH // 8 + 1
    assert ((weights > 0).sum(-1) == 3).all()
    best = (q @ state.means.mT).topk(2, dim=-1).indices
    assert (weights.gather(-1, best) > 0).all() and (weights[..., -1] > 0).all()
