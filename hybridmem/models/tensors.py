"""Rows of token ids as padded tensors, and the log-probabilities of what comes next in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from hybridmem.models.huggingface import HuggingFaceModel

Row = tuple[Sequence[int], Sequence[int]]
"""(prompt, completion) in token ids."""


def collate(rows: Sequence[Row], pad: int, device: Any) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Right-padded ids and mask (rows, longest), and the (row, column) whose logits predict each completion token.

    With no prompt the first completion token has nothing before it and is not predicted."""
    longest = max(len(p) + len(c) for p, c in rows)
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    row_of: list[int] = []
    column_of: list[int] = []
    for number, (prompt, completion) in enumerate(rows):
        length = len(prompt) + len(completion)
        ids[number, :length] = torch.tensor([*prompt, *completion])
        mask[number, :length] = 1
        columns = range(max(0, len(prompt) - 1), length - 1)
        row_of += [number] * len(columns)
        column_of += columns
    where = (torch.tensor(row_of, device=device), torch.tensor(column_of, device=device))
    return ids.to(device), mask.to(device), where


def logprobs_at(module: Any, ids: Tensor, mask: Tensor, where: tuple[Tensor, Tensor]) -> Tensor:
    """float32 (predicted tokens, vocabulary)"""
    logits = module(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return torch.log_softmax(logits[where].float(), dim=-1)


def cross_entropy(model: HuggingFaceModel, rows: Sequence[Sequence[int]]) -> float:
    """Nats per token of `rows`, with whatever adapter is in force."""
    total, count = 0.0, 0
    for start in range(0, len(rows), 8):
        part = rows[start : start + 8]
        ids, mask, where = collate([((), row) for row in part], model.end_id, model.device)
        targets = torch.tensor([token for row in part for token in row[1:]], device=model.device)
        with torch.no_grad():
            logprobs = logprobs_at(model.module, ids, mask, where)
        total -= float(logprobs.gather(1, targets[:, None]).sum())
        count += len(targets)
    return total / max(1, count)
