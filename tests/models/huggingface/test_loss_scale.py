from __future__ import annotations

import torch

from hybridmem.models.huggingface.loss_scale import LossScale


def parameter(gradient: float) -> torch.Tensor:
    made = torch.zeros(3, requires_grad=True)
    made.grad = torch.full((3,), gradient)
    return made


def test_only_float16_is_scaled() -> None:
    assert LossScale.of(torch.float32).value == LossScale.of(torch.bfloat16).value == 1.0
    assert LossScale.of(torch.float16).value > 1000


def test_the_factor_leaves_the_gradients_again() -> None:
    scale, some = LossScale(8.0), parameter(4.0)
    assert scale.undo([some, torch.zeros(1, requires_grad=True)])
    assert some.grad is not None
    assert some.grad.tolist() == [0.5] * 3
    assert scale.value == 8.0


def test_an_overflow_halves_the_factor_down_to_one() -> None:
    scale = LossScale(4.0)
    for value in (2.0, 1.0):
        assert not scale.undo([parameter(1.0), parameter(float("inf"))])
        assert scale.value == value
    # A gradient that is no number at factor 1 is the training's own: the gate refuses what comes of it.
    assert scale.undo([parameter(float("nan"))])
