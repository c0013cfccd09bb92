from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from hybridmem.core.errors import InvalidInput
from hybridmem.models.huggingface import precision
from hybridmem.models.huggingface.precision import LARGE, chosen_device, chosen_dtype

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


@pytest.mark.parametrize(
    ("capabilities", "answer"),
    [
        ({}, False),
        ({"avx2": True, "avx512_bf16": False}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
    ],
)
def test_a_cpu_multiplies_what_its_instructions_say(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], answer: bool
) -> None:
    monkeypatch.setattr(precision, "cpu_capabilities", lambda: capabilities)
    assert precision.multiplies_bf16(torch.device("cpu")) is answer
    assert precision.multiplies_bf16(torch.device("mps")) is False


def test_a_release_that_does_not_tell_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision.cpu_capabilities() == {}


@pytest.mark.parametrize(
    ("device", "hardware", "parameters", "quantized", "chosen"),
    [
        (CPU, True, LARGE, False, torch.bfloat16),
        (CPU, True, LARGE - 1, False, torch.float32),
        (CPU, True, 1, True, torch.bfloat16),
        (CPU, False, LARGE, False, torch.float32),
        (CPU, False, LARGE, True, torch.float32),
        (CUDA, True, 1, False, torch.bfloat16),
        (CUDA, False, LARGE, True, torch.float16),
        (MPS, False, 1, False, torch.float16),
    ],
)
def test_the_weights_are_kept_in_what_suits_the_device(
    monkeypatch: pytest.MonkeyPatch,
    device: torch.device,
    hardware: bool,
    parameters: int,
    quantized: bool,
    chosen: torch.dtype,
) -> None:
    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: hardware)
    assert chosen_dtype(None, device, parameters=parameters, quantized=quantized) == chosen
    assert chosen_dtype("fp32", device, parameters=parameters, quantized=quantized) == torch.float32
    assert chosen_dtype(torch.float16, device, parameters=parameters) == torch.float16


def _machine(monkeypatch: pytest.MonkeyPatch, *, cuda: int, mps: bool) -> None:
    answers: dict[str, Callable[[], object]] = {"is_available": lambda: cuda > 0, "device_count": lambda: cuda}
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_the_best_device_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for cuda, mps, best in ((2, True, "cuda"), (0, True, "mps"), (0, False, "cpu")):
        _machine(monkeypatch, cuda=cuda, mps=mps)
        assert str(chosen_device()) == best
        assert str(chosen_device("cpu")) == "cpu"


def test_a_device_that_is_not_here_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, cuda=2, mps=False)
    assert chosen_device("cuda:1").index == 1
    for wanted, told in (("cuda:2", "has no 'cuda:2'"), ("mps", "has no 'mps'"), ("gpu", "no device 'gpu'")):
        with pytest.raises(InvalidInput, match=told) as caught:
            chosen_device(wanted)
        assert "\n" not in str(caught.value)
