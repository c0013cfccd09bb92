from __future__ import annotations

from typing import Any

import pytest
import torch

from hybridmem.models.huggingface import tensors
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.tensors import collate, cross_entropy, logprobs_at, scores_all
from tests.models import families
from tests.models.conftest import Folders

ROWS = [((11, 12), (13,)), (tuple(range(20, 40)), (41, 42)), ((), (50, 51, 52)), ((60,), (61,))]
"""Their completions leave columns between them that nobody asks for."""


class ScoresAll:
    """A model whose head knows no other way than to score every token."""

    def __init__(self, module: Any) -> None:
        self.module, self.device = module, module.device

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, use_cache: bool) -> Any:
        return self.module(input_ids=input_ids, attention_mask=attention_mask, use_cache=use_cache)

    __call__ = forward


@pytest.mark.parametrize("family", [*families.FAMILIES, "bloom"])
def test_only_what_is_asked_for_is_scored_and_rightly(folder_of: Folders, family: str) -> None:
    module = HuggingFaceModel.load(folder_of(family), device="cpu").module
    ids, mask, where = collate(ROWS, 0, module.device)
    assert not scores_all(module)
    assert scores_all(ScoresAll(module))
    with torch.no_grad():
        whole = torch.log_softmax(module(input_ids=ids, attention_mask=mask, use_cache=False).logits, dim=-1)
        found, all_scored = logprobs_at(module, ids, mask, where), logprobs_at(ScoresAll(module), ids, mask, where)
    assert list(zip(*(each.tolist() for each in where), strict=True)) == [
        *((0, 1), (1, 19), (1, 20), (2, 0), (2, 1), (3, 0)),
    ]
    for number, (row, column) in enumerate(zip(*where, strict=True)):
        assert torch.allclose(found[number], whole[row, column], atol=1e-4)
    assert torch.allclose(found, all_scored, atol=1e-4)


def test_a_large_vocabulary_is_scored_in_smaller_batches(folder_of: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    rows, sizes = [tuple(range(10 + n, 30 + n)) for n in range(10)], []

    def measured(module: Any, ids: torch.Tensor, *given: Any) -> torch.Tensor:
        sizes.append(len(ids))
        return logprobs_at(module, ids, *given)

    monkeypatch.setattr(tensors, "logprobs_at", measured)
    nats = cross_entropy(model, rows)
    assert sizes == [8, 2]
    monkeypatch.setattr(tensors, "MOST_LOGITS", 3 * 20 * families.VOCABULARY)
    assert cross_entropy(model, rows) == pytest.approx(nats, abs=1e-4)
    assert sizes[2:] == [3, 3, 3, 1]
