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
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hybridmem.dreaming.pace import Pace
from hybridmem.dreaming.recipes import TrainSettings
from hybridmem.dreaming.replay import Example, Pools, Sampler, steps_of
from hybridmem.models.lora import lora_config
from hybridmem.models.muon import Muon
from hybridmem.models.precision import multiplies_bf16
from hybridmem.models.tensors import collate, logprobs_at

if TYPE_CHECKING:
    from hybridmem.models.huggingface import HuggingFaceModel

CHECKPOINT = "training.safetensors"
TEACHER_TOKENS = 8192
"""Tokens of one teacher pass."""
PART_SLOTS = 200
"""What a pass of its own costs beside its tokens, in tokens: measured at the bundled base's size on two cores."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """The base's next-token distribution at each completion token of one example: its top k and the rest as a tail."""

    tokens: Tensor
    """int64 (n, k)"""
    logprobs: Tensor
    """float32 (n, k)"""
    agrees: Tensor
    """bool (n,): the teacher's first choice is the completion's token."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a training did."""

    steps: int
    tokens: int
    """Tokens that the student was trained on, prompts included, in all steps."""
    teacher_tokens: int
    loss: float
    """Of the last step."""


def teach(module: Any, examples: Sequence[Example], top_k: int, pad: int) -> tuple[dict[Example, Teaching], int]:
    """The teacher's distributions for `examples`, and the tokens it read. `module` runs as the bare base."""
    taught: dict[Example, Teaching] = {}
    order = sorted(set(examples), key=lambda e: (len(e.teacher_prompt) + len(e.completion), e.completion))
    read = 0
    for batch in _batches(order):
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
            taught[example] = Teaching(tokens[part].clone(), top[part].clone(), tokens[part, 0] == target)
            start += count
    return taught, read


def _batches(examples: Sequence[Example]) -> list[list[Example]]:
    """`examples`, sorted by length, in runs of at most `TEACHER_TOKENS` padded tokens."""
    batches: list[list[Example]] = []
    longest = 0
    for example in examples:
        longest = max(1, len(example.teacher_prompt) + len(example.completion))
        if batches and (len(batches[-1]) + 1) * longest <= TEACHER_TOKENS:
            batches[-1].append(example)
        else:
            batches.append([example])
    return batches


def loss_of(
    logprobs: Tensor, rows: Sequence[Example], taught: dict[Example, Teaching], settings: TrainSettings
) -> Tensor:
    """The night's loss for one batch; `logprobs` is the student's, (predicted tokens, vocabulary)."""
    device = logprobs.device
    targets: list[int] = []
    gold: list[bool] = []
    for example in rows:
        counted = example.completion[0 if example.prompt else 1 :]
        targets += counted
        gold += [example.gold] * len(counted)
    is_gold = torch.tensor(gold, device=device)
    own = logprobs.gather(1, torch.tensor(targets, device=device)[:, None])[:, 0]
    uncertain = is_gold & (own.detach() < math.log(settings.certain))
    loss = -(own * uncertain).sum() / is_gold.sum().clamp(min=1)
    if not taught:
        return loss
    tokens = torch.cat([taught[e].tokens for e in rows])
    teacher = torch.cat([taught[e].logprobs for e in rows])
    agrees = torch.cat([taught[e].agrees for e in rows])
    divergence = _kl(teacher, logprobs.gather(1, tokens))
    preserved = ~is_gold
    loss = loss + settings.distill_weight * (divergence * (is_gold & agrees)).sum() / is_gold.sum().clamp(min=1)
    return loss + settings.preserve_weight * (divergence * preserved).sum() / preserved.sum().clamp(min=1)


def _kl(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(teacher || student) in nats for each token, from log-probabilities (n, k) of the teacher's top k, the rest of
    each as one tail."""
    p = teacher.exp()
    tail_p = (1 - p.sum(-1)).clamp(min=1e-6)
    tail_q = (1 - student.exp().sum(-1)).clamp(min=1e-6)
    return (p * (teacher - student)).sum(-1) + tail_p * (tail_p.log() - tail_q.log())


def train(
    model: HuggingFaceModel,
    pools: Pools,
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

    A checkpoint in `folder` is gone on from. With `distil` off there is no teacher: cross-entropy alone."""
    folder.mkdir(parents=True, exist_ok=True)
    pad = model.end_id
    taught: dict[Example, Teaching] = {}
    teacher_tokens = 0
    pace = Pace.of(settings, steps or steps_of(len(pools.new), settings))
    sampler = Sampler(pools, settings, seed)
    if distil:
        drawn = {example for step in range(pace.most) for example in sampler.rows(step)}
        with model.adapted(None):
            taught, teacher_tokens = teach(model.module, [e for e in pools.every() if e in drawn], settings.top_k, pad)
    tokens, value = 0, math.nan
    config = lora_config(model.module, settings.rank, settings.alpha, settings.targets)
    with model.training(config, seed=seed, parent=parent) as student:
        parameters = student.parameters()
        optimizer = Muon(
            parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, momentum=settings.momentum
        )
        step, tokens, pace = _resume(folder / CHECKPOINT, parameters, optimizer, pace)
        saved = time.monotonic()
        bf16 = settings.bf16 and multiplies_bf16(model.device)
        while step < pace.steps:
            parts = alike(sampler.rows(step))
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * pace.rate(step)
            logprobs = []
            for part in parts:
                ids, mask, where = collate([(e.prompt, e.completion) for e in part], pad, model.device)
                tokens += int(mask.sum())
                with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=bf16):
                    logprobs.append(logprobs_at(model.module, ids, mask, where))
            together, rows = torch.cat(logprobs), [e for part in parts for e in part]
            loss = loss_of(together, rows, taught, settings)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            value = loss.item()
            pace.told(step, known_share(together.detach(), rows, settings.certain))
            step += 1
            progress(step, pace.steps)
            if time.monotonic() - saved > settings.checkpoint_seconds:
                _checkpoint(folder / CHECKPOINT, parameters, optimizer, step, tokens, pace)
                saved = time.monotonic()
        student.save(folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return Training(step, tokens, teacher_tokens, value)


def known_share(logprobs: Tensor, rows: Sequence[Example], certain: float) -> float:
    """The share of the closed-book answers among `rows` whose every token has at least the probability `certain`.

    `logprobs` is the student's, (predicted tokens, vocabulary). Reading exercises and general text do not count."""
    targets = [token for e in rows for token in e.completion[0 if e.prompt else 1 :]]
    own = logprobs.gather(1, torch.tensor(targets, device=logprobs.device)[:, None])[:, 0] >= math.log(certain)
    counts = [len(e.completion) - (0 if e.prompt else 1) for e in rows]
    told = [
        bool(part.all())
        for e, part in zip(rows, torch.split(own.cpu(), counts), strict=True)
        if e.gold and e.prompt != e.teacher_prompt
    ]
    return sum(told) / len(told) if told else 1.0


def alike(rows: Sequence[Example]) -> list[list[Example]]:
    """`rows` in the parts, each of like length, that cost least: a slot of padding costs as much as a token, and a part
    of its own as much as `PART_SLOTS`."""
    ordered = sorted(rows, key=lambda e: len(e.prompt) + len(e.completion))
    lengths = [len(e.prompt) + len(e.completion) for e in ordered]
    # best[n] is the cost of the first n rows, and where their last part begins.
    best: list[tuple[int, int]] = [(0, 0)]
    for stop in range(1, len(ordered) + 1):
        best.append(min((best[at][0] + PART_SLOTS + (stop - at) * lengths[stop - 1], at) for at in range(stop)))
    parts: list[list[Example]] = []
    stop = len(ordered)
    while stop:
        at = best[stop][1]
        parts.append(ordered[at:stop])
        stop = at
    return parts[::-1]


def _checkpoint(
    path: Path, parameters: Sequence[Tensor], optimizer: torch.optim.Optimizer, step: int, tokens: int, pace: Pace
) -> None:
    tensors: dict[str, Tensor] = {}
    for number, parameter in enumerate(parameters):
        state = optimizer.state[parameter]
        tensors[f"{number}|value"] = parameter.detach().contiguous()
        tensors[f"{number}|momentum"] = state["momentum_buffer"].contiguous()
    half = path.with_suffix(".half")
    save_file(
        tensors, half, metadata={"step": str(step), "tokens": str(tokens), "pace": pace.to_json(), "format": "pt"}
    )
    with half.open("rb") as written:
        os.fsync(written.fileno())
    half.replace(path)


def _resume(
    path: Path, parameters: Sequence[Tensor], optimizer: torch.optim.Optimizer, pace: Pace
) -> tuple[int, int, Pace]:
    """Load the checkpoint into `parameters` and `optimizer`; returns its step, tokens and pace: where there is none, 0,
    0 and the given one."""
    if not path.exists():
        return 0, 0, pace
    with path.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))["__metadata__"]
    tensors = load_file(path)
    step, tokens, pace = int(header["step"]), int(header["tokens"]), Pace.from_json(header["pace"])
    for number, parameter in enumerate(parameters):
        with torch.no_grad():
            parameter.copy_(tensors[f"{number}|value"])
        optimizer.state[parameter] = {"momentum_buffer": tensors[f"{number}|momentum"].to(parameter.device)}
    return step, tokens, pace
