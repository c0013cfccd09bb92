"""A LoRA layer as one step of autograd says what PEFT's says, forwards and backwards, and leaves other layers alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import nn

from hybridmem.models.huggingface.lora_linear import _Forward, fused


def layer(inputs: int, outputs: int, rank: int, alpha: int, *, bias: bool = False, **options: Any) -> Any:
    """A PEFT layer whose update is not zero."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(inputs + 10 * outputs + rank)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0"], **options)
    module = get_peft_model(nn.Sequential(nn.Linear(inputs, outputs, bias=bias)), config).base_model.model
    made = module[0]
    nn.init.normal_(made.lora_B["default"].weight, std=0.3)
    return made


def outcome(made: Any, given: torch.Tensor) -> list[torch.Tensor]:
    """What comes out, and every gradient of it."""
    given = given.detach().clone().requires_grad_()
    made.zero_grad()
    said = made(given)
    (said.float() ** 2).sum().backward()
    gradients = [given.grad, made.lora_A["default"].weight.grad, made.lora_B["default"].weight.grad]
    return [said.detach(), *(gradient.clone() for gradient in gradients if gradient is not None)]


@given(
    sizes=some.tuples(some.integers(1, 9), some.integers(1, 9), some.integers(1, 4)),
    alpha=some.integers(1, 8),
    bias=some.booleans(),
    shape=some.lists(some.integers(1, 4), min_size=0, max_size=2),
)
@settings(max_examples=40, deadline=None)
def test_it_says_what_peft_says(sizes: tuple[int, int, int], alpha: int, bias: bool, shape: list[int]) -> None:
    made = layer(*sizes, alpha, bias=bias)
    read = torch.randn(*shape, sizes[0])
    expected = outcome(made, read)
    with fused(made, "default"):
        assert isinstance(made.forward, _Forward)
        found = outcome(made, read)
    assert len(found) == len(expected) == 4
    for one, two in zip(found, expected, strict=True):
        assert one.dtype == two.dtype
        assert torch.allclose(one, two, atol=1e-4 * (1 + two.abs().max().item()))
    assert not isinstance(made.forward, _Forward)


def test_an_input_that_takes_no_gradient_gets_none() -> None:
    made = layer(4, 6, 2, 2)
    with fused(made, "default"):
        made(torch.randn(3, 4)).sum().backward()
    assert made.lora_A["default"].weight.grad is not None


def test_within_autocast_it_multiplies_and_returns_what_peft_does() -> None:
    made, read = layer(16, 8, 4, 8), torch.randn(5, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = outcome(made, read)
        with fused(made, "default"):
            found = outcome(made, read)
    assert found[0].dtype == expected[0].dtype == torch.bfloat16
    for one, two in zip(found, expected, strict=True):
        assert one.dtype == two.dtype
        assert torch.cosine_similarity(one.flatten().float(), two.flatten().float(), dim=0) > 0.999


@pytest.mark.parametrize("options", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}])
def test_what_it_does_not_compute_stays_as_it_is(options: dict[str, Any]) -> None:
    made = layer(4, 6, 2, 2, bias=True, **options)
    with fused(made, "default"):
        assert not isinstance(made.forward, _Forward)


@pytest.mark.parametrize("weights", [torch.bfloat16, torch.float16])
def test_half_precision_weights_stay_with_peft_where_nothing_is_cast(weights: torch.dtype) -> None:
    made = layer(4, 6, 2, 2)
    made.base_layer.to(weights)
    read = torch.randn(3, 4).to(weights)
    expected = outcome(made, read)
    with fused(made, "default"):
        found = outcome(made, read)
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))


def test_two_adapters_at_once_stay_with_peft() -> None:
    from peft import LoraConfig

    made = layer(4, 6, 2, 2)
    made.update_layer("second", r=2, lora_alpha=2, config=LoraConfig(r=2, lora_alpha=2))
    made.set_adapter(["default", "second"])
    with fused(made, "default"):
        assert not isinstance(made.forward, _Forward)
