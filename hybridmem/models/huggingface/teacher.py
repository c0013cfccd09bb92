"""The teacher of a night: what the bare base, with the memory in its context, predicts at each token of an exercise
(Snell et al. 2022, arXiv:2209.15189)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from hybridmem.models.huggingface.memory_budget import MemoryBudget
from hybridmem.models.huggingface.tensors import collate, logprobs_at
from hybridmem.models.trainable import Example, TeacherPredictions

TEACHER_TOKENS = 8192
"""Tokens of one teacher pass, at most."""


def teacher_targets(
    module: Any, examples: Sequence[Example], top_k: int, pad: int, budget: MemoryBudget | None = None
) -> tuple[dict[Example, TeacherPredictions], int]:
    """What the teacher predicts at each completion token of `examples`, and the tokens it read. `module` runs as the
    bare base."""
    found: dict[Example, TeacherPredictions] = {}
    order = sorted(set(examples), key=lambda e: (len(e.teacher_prompt) + len(e.completion), e.completion))
    read = 0
    for batch in _batches(order, budget):
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
            found[example] = TeacherPredictions(tokens[part].clone(), top[part].clone(), tokens[part, 0] == target)
            start += count
    return found, read


def _batches(examples: Sequence[Example], budget: MemoryBudget | None) -> list[list[Example]]:
    """`examples`, sorted by length, in runs of at most `TEACHER_TOKENS` padded tokens that the `budget` allows."""
    batches: list[list[Example]] = []
    shortest = 0
    for example in examples:
        longest = max(1, len(example.teacher_prompt) + len(example.completion))
        before = max(0, len(example.teacher_prompt) - 1)
        if batches:
            rows, least = len(batches[-1]) + 1, min(shortest, before)
            fits = budget is None or budget.reads(rows, longest, longest - least)
            if rows * longest <= TEACHER_TOKENS and fits:
                batches[-1].append(example)
                shortest = least
                continue
        batches.append([example])
        shortest = before
    return batches
