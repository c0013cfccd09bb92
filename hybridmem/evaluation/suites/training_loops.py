"""One training, by our loop and by those that people know: `transformers.Trainer` and TRL's `SFTTrainer`.

Each gets the same rows in the same order, one optimizer step for each batch, the same base, LoRA matrices that start
alike, Muon at the same constant rate, and the same precision. What differs is the loop: padding, logits, bookkeeping.
Both trainers run without gradient checkpointing, logging and saving, which would only slow them down.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hybridmem.continual.objectives import CrossEntropy
from hybridmem.models.trainable import Example, TrainingJob
from hybridmem.training.settings import TrainSettings

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

Batches = Sequence[Sequence[Example]]
IGNORED = -100
"""The label of a token that is not predicted, to torch and all that is built on it."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a loop did: the first step warms up, and is not timed."""

    seconds: float
    """Of all steps but the first."""
    loss: float
    """Nats per answer token over all batches, with the adapter that came out."""


Loop = Callable[["HuggingFaceModel", Batches, TrainSettings, int], Trained]
"""Trains a new adapter of a fresh model on the batches under a seed."""


def hybridmem(model: HuggingFaceModel, batches: Batches, settings: TrainSettings, seed: int) -> Trained:
    """The loop of a dream."""
    job = TrainingJob(
        adapter=settings.adapter,
        examples=tuple(dict.fromkeys(row for rows in batches for row in rows)),
        objectives=(CrossEntropy(certain=1.0),),
        top_k=1,
        certain=settings.certain,
        seed=seed,
    )
    watch = _Watch()
    with model.training(job) as adapter:
        for rows in batches:
            adapter.step(rows, settings.learning_rate)
            watch.step()
        return Trained(watch.seconds, _loss(model, batches))


def transformers(model: HuggingFaceModel, batches: Batches, settings: TrainSettings, seed: int) -> Trained:
    """`transformers.Trainer`, with the collator that pads labels."""
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    def made(arguments: dict[str, Any], shared: dict[str, Any]) -> Any:
        rows = [
            {
                "input_ids": [*row.prompt, *row.completion],
                # What has nothing before it is not predicted, and must not count in the mean either.
                "labels": [IGNORED] * max(1, len(row.prompt)) + [*row.completion[-row.predicted :]],
            }
            for batch in batches
            for row in batch
        ]
        collator = DataCollatorForSeq2Seq(model.tokenizer, label_pad_token_id=IGNORED)
        return Trainer(
            args=TrainingArguments(**arguments, remove_unused_columns=False),
            train_dataset=rows,
            data_collator=collator,
            **shared,
        )

    return _by_trainer(model, batches, settings, seed, made)


def trl(model: HuggingFaceModel, batches: Batches, settings: TrainSettings, seed: int) -> Trained:
    """TRL's `SFTTrainer`, with its loss on the completions alone."""
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig, SFTTrainer

    def made(arguments: dict[str, Any], shared: dict[str, Any]) -> Any:
        rows = [
            {
                "input_ids": [*row.prompt, *row.completion],
                "completion_mask": [0] * len(row.prompt) + [1] * len(row.completion),
            }
            for batch in batches
            for row in batch
        ]
        disable_progress_bars()
        config = SFTConfig(**arguments, gradient_checkpointing=False, completion_only_loss=True, max_length=None)
        return SFTTrainer(args=config, train_dataset=Dataset.from_list(rows), **shared)

    return _by_trainer(model, batches, settings, seed, made)


LOOPS: dict[str, Loop] = {"hybridmem": hybridmem, "transformers": transformers, "trl": trl}
"""By the name that the report has."""


def missing(name: str) -> str | None:
    """Why the loop `name` cannot run here, in one line; None where it can."""
    if name == "trl" and importlib.util.find_spec("trl") is None:
        return "TRL's SFTTrainer is left out, trl is not installed: pip install 'hybridmem[bench]'"
    return None


@dataclass(slots=True)
class _Watch:
    """When each step ended."""

    ends: list[float] = field(default_factory=list)

    def step(self) -> None:
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> float:
        """From the end of the first step to the end of the last."""
        return self.ends[-1] - self.ends[0]


def _by_trainer(
    model: HuggingFaceModel,
    batches: Batches,
    settings: TrainSettings,
    seed: int,
    made: Callable[[dict[str, Any], dict[str, Any]], Any],
) -> Trained:
    """Trained by the trainer that `made` makes of its arguments and of what every trainer takes."""
    import torch
    from transformers import TrainerCallback

    from hybridmem.models.huggingface.lora import lora_config
    from hybridmem.models.huggingface.muon import Muon
    from hybridmem.models.huggingface.precision import multiplies_bf16

    watch = _Watch()

    class Timing(TrainerCallback):  # type: ignore[misc]
        """Tells the watch of each step."""

        def on_step_end(self, *given: Any, **named: Any) -> None:
            watch.step()

    shape = settings.adapter
    config = lora_config(model.module, shape.rank, shape.alpha, shape.targets)
    temporary = tempfile.TemporaryDirectory(prefix="hybridmem-training-")
    with temporary as folder, model.new_adapter(config, seed=seed) as new:
        arguments = {
            "output_dir": folder,
            "per_device_train_batch_size": len(batches[0]),
            "max_steps": len(batches),
            "max_grad_norm": 1.0,
            "train_sampling_strategy": "sequential",
            "logging_strategy": "no",
            "save_strategy": "no",
            "report_to": [],
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            "bf16": shape.bf16 and multiplies_bf16(model.device),
            "use_cpu": model.device.type == "cpu",
            "seed": seed,
        }
        optimizer = Muon(
            new.parameters(),
            lr=settings.learning_rate,
            weight_decay=shape.weight_decay,
            momentum=shape.momentum,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        shared = {"model": model.module, "processing_class": model.tokenizer, "optimizers": (optimizer, schedule)}
        with _quiet():
            trainer = made(arguments, shared)
            trainer.remove_callback(_printer())
            trainer.add_callback(Timing())
            trainer.train()
        model.module.eval()
        return Trained(watch.seconds, _loss(model, batches))


def _printer() -> Any:
    from transformers.trainer_callback import PrinterCallback

    return PrinterCallback


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the trainers' advice on settings that are meant here."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(before)


def _loss(model: HuggingFaceModel, batches: Batches) -> float:
    """Nats per predicted token over all batches, with the adapter in force; one yardstick for all loops."""
    import torch

    from hybridmem.models.huggingface.microbatch import microbatches
    from hybridmem.models.huggingface.tensors import collate, logprobs_at

    total, count = 0.0, 0
    with torch.no_grad():
        for part in microbatches([row for rows in batches for row in rows]):
            ids, mask, where = collate([(row.prompt, row.completion) for row in part], model.end_id, model.device)
            logprobs = logprobs_at(model.module, ids, mask, where)
            targets = torch.tensor([token for row in part for token in row.completion[-row.predicted :]])
            total -= float(logprobs.gather(1, targets.to(logprobs.device)[:, None]).sum())
            count += len(targets)
    return total / count
