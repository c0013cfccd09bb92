"""The mechanism of a training: the teacher, forward and backward passes within the free memory, Muon's steps.

A step's rows go through the model in parts of like length, and their gradients add up, so that free memory
changes the time and not the result.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hybridmem.core.errors import ModelError, ModelTooLarge
from hybridmem.models.huggingface.adapter_files import read_update
from hybridmem.models.huggingface.adapter_slots import TRAINED
from hybridmem.models.huggingface.full_rank import protect
from hybridmem.models.huggingface.lora import fan_in_fan_out
from hybridmem.models.huggingface.lora_linear import fused
from hybridmem.models.huggingface.loss_scale import LossScale
from hybridmem.models.huggingface.memory_budget import OPTIMIZER_BYTES, MemoryBudget
from hybridmem.models.huggingface.microbatch import PART_SLOTS, microbatches, part_slots
from hybridmem.models.huggingface.muon import Muon
from hybridmem.models.huggingface.precision import multiplies_bf16
from hybridmem.models.huggingface.recompute import recomputed
from hybridmem.models.huggingface.tensors import TorchModel, collate, logprobs_at
from hybridmem.models.trainable import Example, Objective, Predictions, StepResult, TeacherPredictions, TrainingJob

if TYPE_CHECKING:
    from hybridmem.models.huggingface.adapter_slots import NewAdapter


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Predicted tokens of a whole step: its loss is a mean over them, however many parts the step goes in."""

    answer: int
    text: int

    @classmethod
    def of(cls, rows: Sequence[Example]) -> TokenCounts:
        return cls(
            answer=sum(row.predicted for row in rows if row.gold),
            text=sum(row.predicted for row in rows if not row.gold),
        )


def predictions(
    logprobs: Tensor,
    rows: Sequence[Example],
    targets: Mapping[Example, TeacherPredictions],
    counts: TokenCounts | None = None,
) -> Predictions:
    """`logprobs` (predicted tokens, vocabulary) of `rows` as objectives read them.

    `counts` are those of the whole step where `rows` are a part of one. No teacher stands beside them where `targets`
    is empty."""
    counts = counts or TokenCounts.of(rows)
    device = logprobs.device
    tokens = [token for row in rows for token in row.completion[len(row.completion) - row.predicted :]]
    gold = [row.gold for row in rows for _ in range(row.predicted)]
    return Predictions(
        logprobs=logprobs,
        targets=torch.tensor(tokens, device=device),
        gold=torch.tensor(gold, device=device),
        answer_tokens=max(1, counts.answer),
        text_tokens=max(1, counts.text),
        rows=tuple(rows),
        teacher=_joined([targets[row] for row in rows]) if targets else None,
    )


def _joined(targets: Sequence[TeacherPredictions]) -> TeacherPredictions:
    return TeacherPredictions(
        tokens=torch.cat([each.tokens for each in targets]),
        logprobs=torch.cat([each.logprobs for each in targets]),
        agrees=torch.cat([each.agrees for each in targets]),
    )


def known_answers(logprobs: Tensor, rows: Sequence[Example], certain: float) -> list[bool]:
    """For each closed-book answer among `rows`: whether its every token has at least the probability `certain`.

    `logprobs` is the student's, (predicted tokens, vocabulary). Reading exercises and general text do not count."""
    targets = [token for row in rows for token in row.completion[len(row.completion) - row.predicted :]]
    own = logprobs.gather(1, torch.tensor(targets, device=logprobs.device)[:, None])[:, 0] >= math.log(certain)
    split = torch.split(own.cpu(), [row.predicted for row in rows])
    return [bool(tokens.all()) for row, tokens in zip(rows, split, strict=True) if row.closed_book]


@dataclass(frozen=True, slots=True)
class BackwardPass:
    """Adds a step's gradients to an adapter's."""

    model: TorchModel
    targets: Mapping[Example, TeacherPredictions]
    objectives: tuple[Objective, ...]
    certain: float
    bf16: bool
    slots: int = PART_SLOTS
    """What a part of its own costs in tokens."""

    def run(self, rows: Sequence[Example], budget: MemoryBudget, scale: float) -> StepResult | None:
        """Add the gradients of the loss of `rows`, times `scale`: part by part, as the `budget` allows.

        None where the device's memory ended all the same."""
        counts = TokenCounts.of(rows)
        try:
            with fused(self.model.module, TRAINED), recomputed(self.model.module, budget.recompute):
                done = [self._part(part, counts, scale) for part in microbatches(rows, budget, slots=self.slots)]
        except torch.OutOfMemoryError:
            return None
        known = [answer for _, answers in done for answer in answers]
        return StepResult(
            loss=sum(loss for loss, _ in done),
            known=sum(known) / len(known) if known else 1.0,
            tokens=sum(row.tokens for row in rows),
        )

    def _part(self, rows: Sequence[Example], counts: TokenCounts, scale: float) -> tuple[float, list[bool]]:
        """(share of the step's loss, which of the closed-book answers are known)"""
        model = self.model
        ids, mask, where = collate([(row.prompt, row.completion) for row in rows], model.end_id, model.device)
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            logprobs = logprobs_at(model.module, ids, mask, where)
        loss = total_loss(self.objectives, predictions(logprobs, rows, self.targets, counts))
        (loss * scale).backward()  # type: ignore[no-untyped-call]
        return loss.item(), known_answers(logprobs.detach(), rows, self.certain)


def total_loss(objectives: Sequence[Objective], predicted: Predictions) -> Tensor:
    """The sum of the objectives, each times its weight."""
    first, *others = objectives
    loss = first.weight * first.loss(predicted)
    for objective in others:
        loss = loss + objective.weight * objective.loss(predicted)
    return loss


class HuggingFaceTrainingAdapter:
    """A `models.trainable.TrainingAdapter` of LoRA matrices (Hu et al. 2021, arXiv:2106.09685) in a torch model."""

    def __init__(
        self,
        model: TorchModel,
        adapter: NewAdapter,
        job: TrainingJob,
        targets: Mapping[Example, TeacherPredictions],
        teacher_tokens: int,
    ) -> None:
        self.teacher_tokens = teacher_tokens
        self._model = model
        self._adapter = adapter
        before = job.parent or job.beneath
        self._penalties = job.penalties
        self._before = read_update(before, model.module) if before is not None and job.penalties else {}
        self._parameters = adapter.parameters()
        settings = job.adapter
        weight_decay = settings.weight_decay
        if job.full_rank is not None and job.full_rank.protected:
            free = adapter.dense_parameters()
            protect(adapter.layers(), adapter.update(), free, job.full_rank.protected)
            weight_decay = 0.0  # It would pull at the protected directions, past the gradients.
        self._optimizer = Muon(self._parameters, lr=0.0, weight_decay=weight_decay, momentum=settings.momentum)
        self._scale = LossScale.of(model.dtype)
        taken = OPTIMIZER_BYTES * sum(parameter.numel() for parameter in self._parameters)
        self._budget = model.budget_for(job.examples, taken=taken)
        # float16 weights are multiplied in float16: casting them would cost time and gain nothing.
        bf16 = settings.bf16 and model.dtype != torch.float16 and multiplies_bf16(model.device)
        # A GPU starts its kernels ahead of time, and there nobody has measured what a part costs.
        slots = part_slots(self._budget.shape) if model.device.type == "cpu" else PART_SLOTS
        self._backward = BackwardPass(model, targets, job.objectives, job.certain, bf16, slots)

    def step(self, rows: Sequence[Example], learning_rate: float) -> StepResult:
        while (done := self._backward.run(rows, self._budget, self._scale.value)) is None:
            self._optimizer.zero_grad(set_to_none=True)
            self._budget = _smaller(self._budget, rows)
        done = replace(done, loss=done.loss + self._penalise())
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        if self._scale.undo(self._parameters):
            torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return done

    def _penalise(self) -> float:
        """Add the gradients of the penalties, and return their share of the loss."""
        if not self._penalties:
            return 0.0
        update = self._adapter.update()
        loss = torch.stack([p.weight * p.loss(update, self._before) for p in self._penalties]).sum()
        if loss.requires_grad:
            (loss * self._scale.value).backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def importance(self, rows: Sequence[Example]) -> dict[str, Tensor]:
        layers = self._adapter.layers()
        weights = {path: layer.weight for path, layer in layers.items()}
        if not all(weight.is_floating_point() for weight in weights.values()):
            raise ModelError("the importance of quantized weights cannot be measured: load the model without quantize")
        turned = fan_in_fan_out(layers.values())
        total = {path: torch.zeros_like(weight, dtype=torch.float32) for path, weight in weights.items()}
        for weight in weights.values():
            weight.requires_grad_(True)
        try:
            for row in rows:
                gradients = torch.autograd.grad(self._log_likelihood(row), list(weights.values()))
                for path, gradient in zip(weights, gradients, strict=True):
                    total[path] += gradient.float().square() / len(rows)
        finally:
            for weight in weights.values():
                weight.requires_grad_(False)
        return {path: figures.mT.contiguous() if turned else figures for path, figures in total.items()}

    def _log_likelihood(self, row: Example) -> Tensor:
        logprobs = self._predicted(row)
        targets = torch.tensor(row.completion[len(row.completion) - row.predicted :], device=logprobs.device)
        return logprobs.gather(1, targets[:, None]).sum()

    def _predicted(self, row: Example) -> Tensor:
        """Log-probabilities (predicted tokens, vocabulary) of one row."""
        model = self._model
        ids, mask, where = collate([(row.prompt, row.completion)], model.end_id, model.device)
        return logprobs_at(model.module, ids, mask, where)

    @torch.no_grad()
    def top_predictions(self, rows: Sequence[Example], k: int) -> list[tuple[Tensor, Tensor]]:
        found = []
        for row in rows:
            logprobs, tokens = self._predicted(row).topk(k)
            found.append((tokens.cpu(), logprobs.cpu()))
        return found

    def save(self, folder: Path) -> None:
        self._adapter.save(folder)

    def save_checkpoint(self, path: Path, state: Mapping[str, str]) -> None:
        tensors: dict[str, Tensor] = {}
        for number, parameter in enumerate(self._parameters):
            # There is none before the first step that was taken.
            momentum = self._optimizer.state[parameter].get("momentum_buffer", torch.zeros_like(parameter))
            tensors[f"{number}|value"] = parameter.detach().contiguous()
            tensors[f"{number}|momentum"] = momentum.contiguous()
        unfinished = path.with_suffix(".half")
        save_file(tensors, unfinished, metadata={**state, "scale": str(self._scale.value), "format": "pt"})
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)

    def load_checkpoint(self, path: Path) -> dict[str, str]:
        with path.open("rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))["__metadata__"]
        tensors = load_file(path)
        self._scale.value = float(header.pop("scale", self._scale.value))
        for number, parameter in enumerate(self._parameters):
            with torch.no_grad():
                parameter.copy_(tensors[f"{number}|value"])
            momentum = tensors[f"{number}|momentum"].to(parameter.device)
            self._optimizer.state[parameter] = {"momentum_buffer": momentum}
        return {name: value for name, value in header.items() if name != "format"}


def _smaller(budget: MemoryBudget, rows: Sequence[Example]) -> MemoryBudget:
    """Half the budget, once the device refused what was estimated to fit. Raises `ModelTooLarge`."""
    if budget.recompute and all(len(part) == 1 for part in microbatches(rows, budget)):
        raise ModelTooLarge(
            "the training does not fit into the device's memory, not even row by row: pass a smaller model, load it "
            "with quantize=4bit, or lower `rank` in the recipe"
        )
    torch.cuda.empty_cache()
    return budget.halved()
