"""The loss of a night's step, and how much of what it asks is known by now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridmem.dreaming.recipes import TrainSettings
from hybridmem.training.examples import Example
from hybridmem.training.teacher import TeacherTargets


@dataclass(frozen=True, slots=True)
class Counts:
    """Completion tokens of a whole step: its loss is a mean over them, however many parts the step goes in."""

    gold: int
    preserved: int

    @classmethod
    def of(cls, rows: Sequence[Example]) -> Counts:
        counted = [(e.gold, len(e.completion) - (0 if e.prompt else 1)) for e in rows]
        return cls(sum(n for gold, n in counted if gold), sum(n for gold, n in counted if not gold))


def loss_of(
    logprobs: Tensor,
    rows: Sequence[Example],
    taught: dict[Example, TeacherTargets],
    settings: TrainSettings,
    counts: Counts | None = None,
) -> Tensor:
    """The night's loss for one batch; `logprobs` is the student's, (predicted tokens, vocabulary).

    `counts` are those of the whole step where `rows` are a part of one: the parts' losses then add up to the step's."""
    device = logprobs.device
    counts = counts or Counts.of(rows)
    golds, others = max(1, counts.gold), max(1, counts.preserved)
    targets: list[int] = []
    gold: list[bool] = []
    for example in rows:
        counted = example.completion[0 if example.prompt else 1 :]
        targets += counted
        gold += [example.gold] * len(counted)
    is_gold = torch.tensor(gold, device=device)
    own = logprobs.gather(1, torch.tensor(targets, device=device)[:, None])[:, 0]
    uncertain = is_gold & (own.detach() < math.log(settings.certain))
    loss = -(own * uncertain).sum() / golds
    if not taught:
        return loss
    tokens = torch.cat([taught[e].tokens for e in rows])
    teacher = torch.cat([taught[e].logprobs for e in rows])
    agrees = torch.cat([taught[e].agrees for e in rows])
    divergence = _kl(teacher, logprobs.gather(1, tokens))
    preserved = ~is_gold
    loss = loss + settings.distill_weight * (divergence * (is_gold & agrees)).sum() / golds
    return loss + settings.preserve_weight * (divergence * preserved).sum() / others


def _kl(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(teacher || student) in nats for each token, from log-probabilities (n, k) of the teacher's top k, the rest of
    each as one tail."""
    p = teacher.exp()
    tail_p = (1 - p.sum(-1)).clamp(min=1e-6)
    tail_q = (1 - student.exp().sum(-1)).clamp(min=1e-6)
    return (p * (teacher - student)).sum(-1) + tail_p * (tail_p.log() - tail_q.log())


def known_answers(logprobs: Tensor, rows: Sequence[Example], certain: float) -> list[bool]:
    """For each closed-book answer among `rows`: whether its every token has at least the probability `certain`.

    `logprobs` is the student's, (predicted tokens, vocabulary). Reading exercises and general text do not count."""
    targets = [token for e in rows for token in e.completion[0 if e.prompt else 1 :]]
    own = logprobs.gather(1, torch.tensor(targets, device=logprobs.device)[:, None])[:, 0] >= math.log(certain)
    counts = [len(e.completion) - (0 if e.prompt else 1) for e in rows]
    return [
        bool(part.all())
        for e, part in zip(rows, torch.split(own.cpu(), counts), strict=True)
        if e.gold and e.prompt != e.teacher_prompt
    ]
