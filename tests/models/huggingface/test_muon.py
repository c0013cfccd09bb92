from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hybridmem.models.huggingface.muon import Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 6, 20), (2, 20, 6)])
def test_a_step_is_nearly_orthogonal_whatever_the_shape(shape: tuple[int, int, int]) -> None:
    made = orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0)), steps=8)
    singular = torch.linalg.svdvals(made)
    assert singular.min() > 0.5
    assert singular.max() < 1.3


def test_it_agrees_with_the_step_of_torch() -> None:
    """`torch.optim.Muon` is the reference; its own iteration runs in bfloat16."""
    ours, theirs = (torch.nn.Parameter(torch.eye(12, 24)) for _ in range(2))
    mine = Muon([ours], lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95)
    chance = torch.Generator().manual_seed(0)
    for _ in range(5):
        gradient = torch.randn(12, 24, generator=chance)
        for matrix, optimizer in ((ours, mine), (theirs, reference)):
            matrix.grad = gradient.clone()
            optimizer.step()
    assert torch.allclose(ours, theirs, atol=4e-3)
    assert not torch.allclose(ours, torch.eye(12, 24), atol=4e-3)


def test_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="AdamW"):
        Muon([torch.nn.Parameter(torch.zeros(3))], lr=0.1, weight_decay=0.0)
