"""Rows of token ids as padded tensors, and the log-probabilities of what comes next in them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from hybridmem.models.huggingface.memory_budget import MemoryBudget
from hybridmem.models.trainable import Example

Row = tuple[Sequence[int], Sequence[int]]
"""(prompt, completion) in token ids."""


class TorchModel(Protocol):
    """The part of a model that computes with tensors."""

    @property
    def module(self) -> Any:
        """The bare torch model; linear layers carry their adapters."""
        ...

    @property
    def end_id(self) -> int:
        """The token that ends an answer; it pads as well."""
        ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def budget_for(self, examples: Sequence[Example], *, taken: int) -> MemoryBudget:
        """What may be in memory at once for any of `examples`, once `taken` bytes are gone."""
        ...


MOST_LOGITS = 2**27
"""Scores of tokens for words in one pass without gradients: half a gigabyte in float32."""


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
    """float32 (predicted tokens, vocabulary)

    A family whose head can leave columns out scores those alone that somebody asks for: with a vocabulary of a hundred
    thousand words, the scores of a whole prompt would take more memory than all layers together."""
    if scores_all(module):
        logits = module(input_ids=ids, attention_mask=mask, use_cache=False).logits[where]
    else:
        with _scored_alone(module, where) as read:
            logits = module(input_ids=ids, attention_mask=mask, use_cache=False).logits
        logits = logits if read else logits[where]
    return torch.log_softmax(logits.float(), dim=-1)


@contextmanager
def _scored_alone(module: Any, where: tuple[Tensor, Tensor]) -> Iterator[list[bool]]:
    """Within this context the head of `module` reads the tokens at `where` alone, and scores (n, vocabulary); the list
    is empty for as long as it was not asked.

    `logits_to_keep` would score each of their columns in every row, wanted there or not."""
    read: list[bool] = []

    def choose(head: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        read.append(True)
        return (given[0][where], *given[1:])

    handle = module.get_output_embeddings().register_forward_pre_hook(choose)
    try:
        yield read
    finally:
        handle.remove()


def scores_all(module: Any) -> bool:
    """Whether the family's head scores every token, wanted or not."""
    return "logits_to_keep" not in inspect.signature(module.forward).parameters


def cross_entropy(model: TorchModel, rows: Sequence[Sequence[int]]) -> float:
    """Nats per token of `rows`, with whatever adapter is in force."""
    total, count = 0.0, 0
    words = model.module.config.get_text_config().vocab_size
    longest = max(map(len, rows), default=1)
    step = max(1, min(8, MOST_LOGITS // (words * longest)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        ids, mask, where = collate([((), row) for row in part], model.end_id, model.device)
        targets = torch.tensor([token for row in part for token in row[1:]], device=model.device)
        with torch.no_grad():
            logprobs = logprobs_at(model.module, ids, mask, where)
        total -= float(logprobs.gather(1, targets[:, None]).sum())
        count += len(targets)
    return total / max(1, count)
