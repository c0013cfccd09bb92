"""The teacher of a night: what the bare base, with the memory in its context, says at each token of each exercise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hybridmem.models.huggingface.memory_budget import MemoryBudget
from hybridmem.models.huggingface.tensors import collate, logprobs_at
from hybridmem.training.examples import Example

TEACHER_TOKENS = 8192
"""Tokens of one teacher pass, at most."""


@dataclass(frozen=True, slots=True)
class TeacherTargets:
    """The base's next-token distribution at each completion token of one example: its top k and the rest as a tail."""

    tokens: Tensor
    """int64 (n, k)"""
    logprobs: Tensor
    """float32 (n, k)"""
    agrees: Tensor
    """bool (n,): the teacher's first choice is the completion's token."""


def teacher_targets(
    module: Any, examples: Sequence[Example], top_k: int, pad: int, room: MemoryBudget | None = None
) -> tuple[dict[Example, TeacherTargets], int]:
    """The teacher's distributions for `examples`, and the tokens it read. `module` runs as the bare base."""
    taught: dict[Example, TeacherTargets] = {}
    order = sorted(set(examples), key=lambda e: (len(e.teacher_prompt) + len(e.completion), e.completion))
    read = 0
    for batch in _batches(order, room):
        rows = [(e.teacher_prompt, e.completion) for e in batch]
        ids, mask, where = collate(rows, pad, module.device)
        read += int(mask.sum())
        with torch.no_grad():
            logprobs = logprobs_at(module, ids, mask, where)
        top, tokens = logprobs.topk(min(top_k, logprobs.shape[-1]))
        start = 0
        for example in batch:
            count = len(example.completion) - (0 if example.teacher_prompt else 1)
            part = slice(start, start + count)
            target = torch.tensor(example.completion[-count:], device=tokens.device)
            taught[example] = TeacherTargets(tokens[part].clone(), top[part].clone(), tokens[part, 0] == target)
            start += count
    return taught, read


def _batches(examples: Sequence[Example], room: MemoryBudget | None) -> list[list[Example]]:
    """`examples`, sorted by length, in runs of at most `TEACHER_TOKENS` padded tokens for which there is `room`."""
    batches: list[list[Example]] = []
    shortest = 0
    for example in examples:
        longest = max(1, len(example.teacher_prompt) + len(example.completion))
        before = max(0, len(example.teacher_prompt) - 1)
        if batches:
            rows, least = len(batches[-1]) + 1, min(shortest, before)
            if rows * longest <= TEACHER_TOKENS and (room is None or room.reads(rows, longest, longest - least)):
                batches[-1].append(example)
                shortest = least
                continue
        batches.append([example])
        shortest = before
    return batches
