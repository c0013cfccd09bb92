"""One training, from the first step to the saved adapter. A killed training goes on exactly where it was.

The loop does not depend on a model: the `TrainingAdapter` computes each step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hybridmem.models.trainable import TrainableModel, TrainingAdapter, TrainingJob, WeightEdit
from hybridmem.training.lr_schedule import LrSchedule
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings

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


@dataclass(slots=True)
class _Progress:
    """How far a training is: what a checkpoint keeps beside the weights."""

    schedule: LrSchedule
    step: int = 0
    tokens: int = 0

    def to_state(self) -> dict[str, str]:
        return {"step": str(self.step), "tokens": str(self.tokens), "schedule": self.schedule.to_json()}

    @classmethod
    def from_state(cls, state: dict[str, str]) -> _Progress:
        return cls(LrSchedule.from_json(state["schedule"]), int(state["step"]), int(state["tokens"]))


def train(
    model: TrainableModel,
    plan: TrainingPlan,
    settings: TrainSettings,
    seed: int,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Training:
    """Train an adapter as `plan` says and save it in `folder`, going on from a checkpoint that lies there.

    Raises `ModelTooLarge` where even one row at a time is more than the device's memory, and `InvalidInput` where the
    settings' token budget pays for no step."""
    plan = plan.within(settings.token_budget)
    folder.mkdir(parents=True, exist_ok=True)
    if plan.edit is not None:
        return _edit(model, plan.edit, folder, progress)
    checkpoint = folder / CHECKPOINT
    with model.training(_job(plan, settings, seed)) as adapter:
        done = _Progress(LrSchedule.of(settings, plan.steps))
        if checkpoint.exists():
            done = _Progress.from_state(adapter.load_checkpoint(checkpoint))
        loss = _run(adapter, plan, settings, done, checkpoint, progress)
        adapter.save(folder)
        if plan.keepsake is not None:
            plan.keepsake.keep(adapter, folder)
        teacher_tokens = adapter.teacher_tokens
    if plan.merge is not None:
        plan.merge.apply(model, folder, settings.rank, seed)
    checkpoint.unlink(missing_ok=True)
    return Training(done.step, done.tokens, teacher_tokens, loss)


def _edit(model: TrainableModel, edit: WeightEdit, folder: Path, progress: Callable[[int, int], None]) -> Training:
    progress(0, 1)
    done = model.edit(edit, folder)
    progress(1, 1)
    return Training(steps=1, tokens=done.tokens, teacher_tokens=0, loss=done.loss)


def _job(plan: TrainingPlan, settings: TrainSettings, seed: int) -> TrainingJob:
    """The teacher reads no more than what some step will draw."""
    drawn = {example for step in range(plan.steps) for example in plan.sampler.rows(step)}
    return TrainingJob(
        adapter=settings.adapter,
        examples=tuple(example for example in plan.sampler.examples() if example in drawn),
        objectives=plan.objectives,
        top_k=settings.top_k,
        certain=settings.certain,
        seed=seed,
        parent=plan.parent,
        refit_parent=plan.refit_parent,
        beneath=plan.beneath,
        penalties=plan.penalties,
        full_rank=plan.full_rank,
    )


def _run(
    adapter: TrainingAdapter,
    plan: TrainingPlan,
    settings: TrainSettings,
    done: _Progress,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> float:
    """Every step that is left; returns the last one's loss."""
    loss, saved = math.nan, time.monotonic()
    while done.step < done.schedule.steps:
        rate = settings.learning_rate * done.schedule.rate(done.step)
        result = adapter.step(plan.sampler.rows(done.step), rate)
        loss = result.loss
        done.schedule.observe(done.step, result.known)
        done.tokens += result.tokens
        done.step += 1
        progress(done.step, done.schedule.steps)
        if time.monotonic() - saved > settings.checkpoint_seconds:
            adapter.save_checkpoint(checkpoint, done.to_state())
            saved = time.monotonic()
    return loss
