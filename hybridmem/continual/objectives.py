"""Objectives: what a training minimises. Each is a mean over the step's tokens, in nats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.continual.keepsakes import read_predictions, row_key
from hybridmem.models.trainable import Example, Predictions, TeacherPredictions
from hybridmem.training.settings import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Cross-entropy on the tokens of right answers that the student is not yet sure of.

    A token above p = 0.5 is recalled greedily already; what is left alone drifts less."""

    certain: float
    """Answer tokens with at least this probability get none."""
    weight: float = 1.0
    name: str = "cross-entropy"
    needs_teacher: bool = False

    @classmethod
    def of(cls, settings: TrainSettings) -> CrossEntropy:
        return cls(settings.certain)

    def covers(self, example: Example) -> bool:
        return example.gold

    def loss(self, predictions: Predictions) -> Tensor:
        own = predictions.logprobs.gather(1, predictions.targets[:, None])[:, 0]
        uncertain = predictions.gold & (own.detach() < math.log(self.certain))
        return -(own * uncertain).sum() / predictions.answer_tokens


@dataclass(frozen=True, slots=True)
class Distillation:
    """KL(teacher || student) on right answers: the base with the memory in its context teaches the student without it
    (context distillation, Snell et al. 2022, arXiv:2209.15189). A teacher whose first choice is wrong teaches nothing.
    """

    weight: float
    name: str = "distillation"
    needs_teacher: bool = True

    @classmethod
    def of(cls, settings: TrainSettings) -> Distillation:
        return cls(settings.distill_weight)

    def covers(self, example: Example) -> bool:
        return example.gold

    def loss(self, predictions: Predictions) -> Tensor:
        taught = predictions.gold & _teacher(predictions).agrees
        return (_divergence(predictions) * taught).sum() / predictions.answer_tokens


@dataclass(frozen=True, slots=True)
class KlToBase:
    """KL(base || student) on general text, which must stay as likely as it was (learning without forgetting, Li and
    Hoiem 2016, arXiv:1606.09282)."""

    weight: float
    name: str = "kl-to-base"
    needs_teacher: bool = True

    @classmethod
    def of(cls, settings: TrainSettings) -> KlToBase:
        return cls(settings.preserve_weight)

    def covers(self, example: Example) -> bool:
        return not example.gold

    def loss(self, predictions: Predictions) -> Tensor:
        return (_divergence(predictions) * ~predictions.gold).sum() / predictions.text_tokens


class StoredPredictions:
    """Mean squared difference to the log-probabilities that were stored when an exercise was learned (DER, Buzzega et
    al. 2020, arXiv:2004.07211, equation 6). There they are logits of every class; here log-probabilities of the most
    probable tokens."""

    name = "stored-predictions"
    needs_teacher = False

    def __init__(self, folder: Path | None, weight: float) -> None:
        self.weight = weight
        self._folder = folder
        self._stored: dict[str, tuple[Tensor, Tensor]] | None = None

    def covers(self, example: Example) -> bool:
        return False

    def loss(self, predictions: Predictions) -> Tensor:
        if self._stored is None:
            self._stored = read_predictions(self._folder)
        logprobs, start = predictions.logprobs, 0
        total = logprobs.new_zeros(())
        for row in predictions.rows:
            stored = self._stored.get(row_key(row))
            if stored is not None:
                tokens, wanted = (part.to(logprobs.device) for part in stored)
                own = logprobs[start : start + row.predicted].gather(1, tokens)
                total = total + (own - wanted).square().mean(dim=1).sum()
            start += row.predicted
        return total / predictions.answer_tokens


def _divergence(predictions: Predictions) -> Tensor:
    """KL(teacher || student) of each token."""
    teacher = _teacher(predictions)
    return kl_with_tail(teacher.logprobs, predictions.logprobs.gather(1, teacher.tokens))


def _teacher(predictions: Predictions) -> TeacherPredictions:
    if predictions.teacher is None:
        raise ValueError("an objective that needs a teacher got none: its needs_teacher must say so")
    return predictions.teacher


def kl_with_tail(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(teacher || student) in nats for each token, from log-probabilities (n, k) of the teacher's top k, the rest of
    each as one tail."""
    p = teacher.exp()
    tail_p = (1 - p.sum(-1)).clamp(min=1e-6)
    tail_q = (1 - student.exp().sum(-1)).clamp(min=1e-6)
    return (p * (teacher - student)).sum(-1) + tail_p * (tail_p.log() - tail_q.log())
