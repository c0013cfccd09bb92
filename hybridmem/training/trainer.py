"""Step 5: a LoRA adapter by context distillation, with replay and KL to the base on what must not change.

Teacher: the base with the memory in its context; student: base and adapter without it (Snell et al. 2022,
arXiv:2209.15189). Beside it, cross-entropy on the answer tokens that the student is not yet sure of, and
KL(base || student) on general text. The steps are Muon's, which learn in half as many as AdamW's. A checkpoint holds
the adapter, the optimizer's momentum and the step, as safetensors; with it, a killed training goes on exactly where it
was.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hybridmem.core.errors import ModelTooLarge
from hybridmem.dreaming.recipes import TrainSettings
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.loss_scale import LossScale
from hybridmem.models.huggingface.memory_budget import OPTIMIZER_BYTES, MemoryBudget, Shape
from hybridmem.models.huggingface.microbatch import microbatches
from hybridmem.models.huggingface.muon import Muon
from hybridmem.models.huggingface.precision import multiplies_bf16
from hybridmem.models.huggingface.recompute import recomputed
from hybridmem.models.huggingface.tensors import collate, logprobs_at, scores_all
from hybridmem.training.examples import Example, ExamplePools, Sampler, steps_of
from hybridmem.training.loss import Counts, known_answers, loss_of
from hybridmem.training.lr_schedule import LrSchedule
from hybridmem.training.teacher import TeacherTargets, teacher_targets

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

CHECKPOINT = "training.safetensors"


@dataclass(frozen=True, slots=True)
class Training:
    """What a training did."""

    steps: int
    tokens: int
    """Tokens that the student was trained on, prompts included, in all steps."""
    teacher_tokens: int
    loss: float
    """Of the last step."""


def train(
    model: HuggingFaceModel,
    pools: ExamplePools,
    settings: TrainSettings,
    seed: int,
    folder: Path,
    parent: Path | None,
    *,
    distil: bool,
    steps: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Training:
    """Train an adapter, from `parent` or from nothing, and save it in PEFT's format in `folder`.

    A checkpoint in `folder` is gone on from. With `distil` off there is no teacher: cross-entropy alone.
    Raises `ModelTooLarge` where even one row at a time is more than the device's memory."""
    folder.mkdir(parents=True, exist_ok=True)
    taught: dict[Example, TeacherTargets] = {}
    teacher_tokens = 0
    pace = LrSchedule.of(settings, steps or steps_of(len(pools.new), settings))
    sampler = Sampler(pools, settings, seed)
    if distil:
        drawn = {example for step in range(pace.most) for example in sampler.rows(step)}
        wanted = [e for e in pools.every() if e in drawn]
        with model.adapted(None):
            taught, teacher_tokens = teacher_targets(
                model.module, wanted, settings.top_k, model.end_id, _room(model, pools, taken=0)
            )
    tokens, value = 0, math.nan
    config = lora_config(model.module, settings.rank, settings.alpha, settings.targets)
    with model.training(config, seed=seed, parent=parent) as student:
        parameters = student.parameters()
        optimizer = Muon(
            parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, momentum=settings.momentum
        )
        scale = LossScale.of(model.dtype)
        step, tokens, pace = _resume(folder / CHECKPOINT, parameters, optimizer, pace, scale)
        room = _room(model, pools, taken=OPTIMIZER_BYTES * sum(p.numel() for p in parameters))
        # float16 weights are multiplied in float16: casting them would cost time and gain nothing.
        bf16 = settings.bf16 and model.dtype != torch.float16 and multiplies_bf16(model.device)
        lesson = _Lesson(model, taught, settings, bf16)
        saved = time.monotonic()
        while step < pace.steps:
            rows = sampler.rows(step)
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * pace.rate(step)
            done = lesson.backward(rows, room, scale.value)
            if done is None:
                optimizer.zero_grad(set_to_none=True)
                room = _smaller(room, rows)
                continue
            if scale.undo(parameters):
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            tokens += done.tokens
            value = done.loss
            pace.told(step, done.known)
            step += 1
            progress(step, pace.steps)
            if time.monotonic() - saved > settings.checkpoint_seconds:
                _checkpoint(folder / CHECKPOINT, parameters, optimizer, step, tokens, pace, scale)
                saved = time.monotonic()
        student.save(folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return Training(step, tokens, teacher_tokens, value)


@dataclass(frozen=True, slots=True)
class _Backward:
    """What one step's forward and backward passes told."""

    loss: float
    known: float
    tokens: int


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What every step of a training shares."""

    model: HuggingFaceModel
    taught: dict[Example, TeacherTargets]
    settings: TrainSettings
    bf16: bool

    def backward(self, rows: Sequence[Example], room: MemoryBudget, scale: float) -> _Backward | None:
        """Add the gradients of the loss of `rows`, times `scale`, to the adapter's: part by part, as there is `room`.

        None where the device's memory ended all the same."""
        counts = Counts.of(rows)
        parts = microbatches(rows, room)
        try:
            with recomputed(self.model.module, room.recompute):
                done = [self._part(part, counts, scale) for part in parts]
        except torch.OutOfMemoryError:
            return None
        known = [answer for _, answers in done for answer in answers]
        tokens = sum(len(e.prompt) + len(e.completion) for e in rows)
        return _Backward(sum(loss for loss, _ in done), sum(known) / len(known) if known else 1.0, tokens)

    def _part(self, part: Sequence[Example], counts: Counts, scale: float) -> tuple[float, list[bool]]:
        """(its share of the step's loss, which of its closed-book answers are known)"""
        model = self.model
        ids, mask, where = collate([(e.prompt, e.completion) for e in part], model.end_id, model.device)
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            logprobs = logprobs_at(model.module, ids, mask, where)
        loss = loss_of(logprobs, part, self.taught, self.settings, counts)
        (loss * scale).backward()  # type: ignore[no-untyped-call]
        return loss.item(), known_answers(logprobs.detach(), part, self.settings.certain)


def _room(model: HuggingFaceModel, pools: ExamplePools, *, taken: int) -> MemoryBudget:
    """Room for any row of `pools`, once `taken` bytes of what a training may take are gone."""
    shape = Shape.of(model.module.config, scores_all=scores_all(model.module))
    rows = {(len(e.prompt) + len(e.completion), len(e.completion)) for e in pools.every()}
    return MemoryBudget.of(shape, model.training_bytes() - taken, rows)


def _smaller(room: MemoryBudget, rows: Sequence[Example]) -> MemoryBudget:
    """Half the room, once the device refused what was estimated to fit. Raises `ModelTooLarge`."""
    if room.recompute and all(len(part) == 1 for part in microbatches(rows, room)):
        raise ModelTooLarge(
            "the training does not fit into the device's memory, not even row by row: pass a smaller model, load it "
            "with quantize=4bit, or lower `rank` in the recipe"
        )
    torch.cuda.empty_cache()
    return room.halved()


def _checkpoint(
    path: Path,
    parameters: Sequence[Tensor],
    optimizer: torch.optim.Optimizer,
    step: int,
    tokens: int,
    pace: LrSchedule,
    scale: LossScale,
) -> None:
    tensors: dict[str, Tensor] = {}
    for number, parameter in enumerate(parameters):
        # There is none before the first step that was taken.
        momentum = optimizer.state[parameter].get("momentum_buffer", torch.zeros_like(parameter))
        tensors[f"{number}|value"] = parameter.detach().contiguous()
        tensors[f"{number}|momentum"] = momentum.contiguous()
    half = path.with_suffix(".half")
    told = {"step": str(step), "tokens": str(tokens), "pace": pace.to_json(), "scale": str(scale.value)}
    save_file(tensors, half, metadata={**told, "format": "pt"})
    with half.open("rb") as written:
        os.fsync(written.fileno())
    half.replace(path)


def _resume(
    path: Path, parameters: Sequence[Tensor], optimizer: torch.optim.Optimizer, pace: LrSchedule, scale: LossScale
) -> tuple[int, int, LrSchedule]:
    """Load the checkpoint into `parameters`, `optimizer` and `scale`; returns its step, tokens and pace: where there is
    none, 0, 0 and the given one."""
    if not path.exists():
        return 0, 0, pace
    with path.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))["__metadata__"]
    tensors = load_file(path)
    step, tokens, pace = int(header["step"]), int(header["tokens"]), LrSchedule.from_json(header["pace"])
    scale.value = float(header.get("scale", scale.value))
    for number, parameter in enumerate(parameters):
        with torch.no_grad():
            parameter.copy_(tensors[f"{number}|value"])
        optimizer.state[parameter] = {"momentum_buffer": tensors[f"{number}|momentum"].to(parameter.device)}
    return step, tokens, pace
