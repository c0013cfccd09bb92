"""Our rules beside public reference code, where it is installed: ``pip install flash-linear-attention``.

Only its plain PyTorch forms, which need no accelerator. Where they differ from the papers on purpose or by mistake, the
guide says so, and they are no oracle here: Titans' LayerNorm, TTT's learning rates within a chunk, mesa's conjugate
gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.ridge import Ridge
from tests.running.rules.every_rule import gate, init, tokens

LENGTH = 48
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def reference(module: str, function: str) -> Callable[..., Any]:
    return getattr(pytest.importorskip(f"fla.ops.{module}.naive", exc_type=ImportError), function)  # type: ignore[no-any-return]


def after_each(rule: Any, k: Tensor, v: Tensor, q: Tensor, gates: dict[str, Tensor]) -> tuple[Tensor, Any]:
    """What is read after each token, and the last state."""
    state, reads = init(rule, dtype=torch.float32), []
    for t in range(k.shape[-2]):
        one = slice(t, t + 1)
        of_token = {name: each[..., one] for name, each in gates.items()}
        state = rule.write(state, k[..., one, :], v[..., one, :], of_token)
        reads.append(rule.read(state, q[..., one, :]))
    return torch.cat(reads, dim=-2), state


def test_linear_attention() -> None:
    naive = reference("linear_attn", "naive_recurrent_linear_attn")
    k, v, q = tokens(LENGTH, dtype=torch.float32)
    reads, _ = after_each(Hebbian(), k, v, q, {})
    theirs, _ = naive(*(each.transpose(1, 2) for each in (q, k, v)), scale=1.0)
    torch.testing.assert_close(reads, theirs.transpose(1, 2), **CLOSE)


def test_delta() -> None:
    naive = reference("delta_rule", "delta_rule_recurrence")
    k, v, q = tokens(LENGTH, dtype=torch.float32)
    rate = gate(LENGTH, 0, 1).float()
    reads, state = after_each(Delta(), k, v, q, {"rate": rate})
    theirs, memory = naive(q * q.shape[-1] ** 0.5, k, v, rate)  # it divides queries by √d
    torch.testing.assert_close(reads, theirs, **CLOSE)
    torch.testing.assert_close(state.memory, memory, **CLOSE)


@pytest.mark.parametrize("function", ["naive_recurrent_gated_delta_rule", "naive_chunk_gated_delta_rule"])
def test_gated_delta(function: str) -> None:
    naive = reference("gated_delta_rule", function)
    k, v, q = tokens(LENGTH, dtype=torch.float32)
    rate, decay = gate(LENGTH, 0, 1).float(), gate(LENGTH, 0, 0.3, seed=6).float()
    reads, state = after_each(Delta(), k, v, q, {"rate": rate, "decay": decay})
    q, k, v, beta, g = (each.transpose(1, 2) for each in (q, k, v, rate, (1 - decay).log()))
    theirs, memory = naive(q=q, k=k, v=v, beta=beta, g=g, scale=1.0, output_final_state=True)
    torch.testing.assert_close(reads, theirs.transpose(1, 2), **CLOSE)
    torch.testing.assert_close(state.memory, memory, **CLOSE)


def test_ridge() -> None:
    naive = reference("mesa_net", "naive_mesa_net_exact")
    k, v, q = tokens(LENGTH, dtype=torch.float32)
    rule = Ridge(ridge=0.5)
    keep = 1 - gate(LENGTH, 0, 0.1).float()
    reads, state = after_each(rule, k, v, q, {"keep": keep})
    ridge, ones = torch.full((2, 6), 0.5), torch.ones(2, LENGTH, 2)
    heads_last = [each.transpose(1, 2) for each in (q, k, v, keep.log())]
    theirs, covariance, association = naive(*heads_last, ridge, ones)
    torch.testing.assert_close(reads, theirs.transpose(1, 2), **CLOSE)
    torch.testing.assert_close(state.covariance, covariance, **CLOSE)
    torch.testing.assert_close(state.association, association, **CLOSE)
