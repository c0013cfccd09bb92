from __future__ import annotations

import pytest
import torch

from hybridmem.models import precision


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
