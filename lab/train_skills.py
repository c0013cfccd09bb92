"""Train the memory-skills adapter: a LoRA that teaches a pretrained instruct model the memory jobs.

    python -m lab.train_skills --base smollm2-instruct --minutes 90 --text ../shared/data/text --out runs/skills
    python -m lab.train_skills --out runs/skills --minutes 180 --resume

Rows of trees (`lab.skills.trees`) spare reading shared memories twice. AdamW with a rate that warms up, stays, and
falls to zero over the last part of the minutes (warmup-stable-decay, Hu et al. 2024, arXiv:2404.06395). Every few
minutes the held-out records are asked; the best adapter so far is kept in ``OUT/best``, what a resumed run needs in
``OUT/training.safetensors``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch
import torch.nn.functional as functional
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from hybridmem import models
from hybridmem.core.errors import HybridMemError
from hybridmem.models import smollm2
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.precision import multiplies_bf16
from lab.log import Log
from lab.schedule import rate_factor
from lab.skills import natural, worlds
from lab.skills.documents import stream
from lab.skills.evaluation import Held, held_out, scores
from lab.skills.forward import LoraForward, bars
from lab.skills.trees import Row, Tree, pack, texts, tree_of
from lab.skills.worlds import World

if TYPE_CHECKING:
    from peft import PeftModel

STATE = "training.safetensors"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training does."""

    rank: int = 32
    alpha: int = 64
    learning_rate: float = 7e-4
    weight_decay: float = 0.0
    warmup_steps: int = 20
    decay_share: float = 0.3
    """Share of the time, at its end, in which the rate falls to zero."""
    clip: float = 1.0
    length: int = 512
    """Tokens of a row."""
    rows: int = 8
    """Rows of a step."""
    rows_at_once: int = 2
    general_weight: float = 0.25
    """Of a token of general text in the loss, beside an answer's 1."""


@dataclass
class Progress:
    """How far a run is; `seconds` counts all its sittings, whose number draws the stream of the next one."""

    step: int = 0
    tokens: int = 0
    answers: int = 0
    seconds: float = 0.0
    sittings: int = 0
    best: float = 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    usual = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="smollm2-instruct", help="a model's name or folder")
    parser.add_argument(
        "--keep-template", action="store_true", help="the base's own chat template, system part and all"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--steps", type=int, help="end after so many steps where the minutes allow more")
    parser.add_argument("--text", type=Path, help="the folder of general text; none: no real text at all")
    parser.add_argument("--records", type=int, help="use so many natural records, spread over the files")
    parser.add_argument("--natural", type=Path, default=natural.FOLDER)
    parser.add_argument("--worlds", type=Path, default=worlds.FOLDER)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rate", type=float, default=usual.learning_rate)
    parser.add_argument("--rows", type=int, default=usual.rows)
    parser.add_argument("--length", type=int, default=usual.length)
    parser.add_argument("--decay", type=float, default=usual.decay_share)
    parser.add_argument("--evaluate-every", type=float, default=600.0, help="seconds")
    parser.add_argument("--cases", type=int, default=48, help="held-out records that are asked each time")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    try:
        model = models.load(given.base)
    except HybridMemError as error:
        parser.error(str(error))
    if not isinstance(model, HuggingFaceModel):
        parser.error(f"--base {given.base}: skills need a model with weights: a name, a folder or a GGUF file")
    if not given.keep_template:
        model.tokenizer.chat_template = smollm2.TEMPLATE.read_text("utf-8")
    settings = Settings(learning_rate=given.rate, rows=given.rows, length=given.length, decay_share=given.decay)
    records = natural.load("train", given.natural)
    if given.records is not None:
        records = spread(records, given.records)
    train(
        model,
        settings,
        records=records,
        lives=worlds.load(given.worlds),
        cases=spread(natural.load("held-out", given.natural), given.cases),
        minutes=given.minutes,
        steps=given.steps,
        text=given.text,
        out=given.out,
        resume=given.resume,
        seed=given.seed,
        evaluate_every=given.evaluate_every,
    )


def spread(records: list[natural.NaturalRecord], count: int) -> list[natural.NaturalRecord]:
    """`count` of `records` at equal distances, or all."""
    return [records[number * len(records) // count] for number in range(count)] if count < len(records) else records


def train(
    model: HuggingFaceModel,
    settings: Settings,
    *,
    records: list[natural.NaturalRecord],
    cases: list[natural.NaturalRecord],
    minutes: float,
    out: Path,
    lives: Sequence[World] = (),
    text: Path | None = None,
    steps: int | None = None,
    resume: bool = False,
    seed: int = 0,
    evaluate_every: float = 600.0,
    report_every: float = 30.0,
) -> None:
    """Train for `minutes`, or for `steps` where these are over first. Earlier sittings of a resumed run count."""
    from peft import get_peft_model

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    module = get_peft_model(model.module, lora_config(model.module, settings.rank, settings.alpha))
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=0.0, betas=(0.9, 0.95), weight_decay=settings.weight_decay, foreach=True
    )
    progress = restore(out / STATE, parameters, optimizer) if resume else Progress()
    dtype = torch.bfloat16 if multiplies_bf16(model.device) else torch.float32
    forward = LoraForward(module, dtype=dtype)
    log = Log(out / "log.jsonl", append=resume)
    log.write(
        event="start",
        records=len(records),
        worlds=len(lives),
        dtype=str(dtype),
        threads=torch.get_num_threads(),
        **asdict(settings),
    )
    held = held_out(cases, model.render_pair, settings.length, seed)
    source = rows(model, settings, records, seed + 1_000_003 * progress.sittings, text, lives)
    before, started = progress.seconds, time.monotonic()
    logged = saved = started
    losses: list[Tensor] = []
    tokens = 0
    while True:
        progress.seconds = before + time.monotonic() - started
        share = max(progress.seconds / (minutes * 60), progress.step / steps if steps else 0.0)
        if share >= 1:
            break
        batch = list(itertools.islice(source, settings.rows))
        rate = settings.learning_rate * rate_factor(
            progress.step, share, warmup_steps=settings.warmup_steps, decay_share=settings.decay_share
        )
        loss, answers = step(forward, optimizer, batch, settings, rate)
        losses.append(loss)
        tokens += sum(int((row.trees < row.trees.max()).sum()) for row in batch)
        progress.step += 1
        progress.answers += answers
        now = time.monotonic()
        if now - logged >= report_every:
            progress.tokens += tokens
            log.write(
                step=progress.step,
                tokens=progress.tokens,
                answers=progress.answers,
                rate=round(rate, 6),
                loss=round(float(torch.stack(losses).mean()), 4),
                tokens_per_second=round(tokens / (now - logged)),
            )
            logged, losses, tokens = now, [], 0
        if now - saved > evaluate_every:
            finish_part(out, module, forward, optimizer, progress, held, model.end_id, settings, log)
            logged = saved = time.monotonic()
    progress.tokens += tokens
    finish_part(out, module, forward, optimizer, progress, held, model.end_id, settings, log)


def rows(
    model: HuggingFaceModel,
    settings: Settings,
    records: list[natural.NaturalRecord],
    seed: int,
    text: Path | None,
    lives: Sequence[World] = (),
) -> Iterator[Row]:
    """Packed rows of the stream of documents."""

    def trees() -> Iterator[Tree]:
        for drawn in stream(records, seed, text, worlds=lives):
            if isinstance(drawn, str):
                yield from texts(drawn, model.encode_text, settings.length, settings.general_weight)
            elif (tree := tree_of(drawn, model.render_pair, settings.length)) is not None:
                yield tree

    return pack(trees(), length=settings.length, pad=model.end_id)


def step(
    forward: LoraForward, optimizer: torch.optim.Optimizer, batch: list[Row], settings: Settings, rate: float
) -> tuple[Tensor, int]:
    """One step: (the weighted mean loss, how many tokens were predicted)."""
    total = sum(float(row.weights.sum()) for row in batch)
    loss = torch.zeros(())
    for start in range(0, len(batch), settings.rows_at_once):
        part = batch[start : start + settings.rows_at_once]
        summed = predicted_loss(forward, part) / total
        summed.backward()  # type: ignore[no-untyped-call]
        loss = loss + summed.detach()
    parameters = optimizer.param_groups[0]["params"]
    torch.nn.utils.clip_grad_norm_(parameters, settings.clip, foreach=True)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss, sum(int((row.weights > 0).sum()) for row in batch)


def predicted_loss(forward: LoraForward, part: list[Row]) -> Tensor:
    """The weighted sum of the cross-entropy over the predicted tokens."""
    logits, targets, weights = logits_of(forward, part)
    return (functional.cross_entropy(logits.float(), targets, reduction="none") * weights).sum()


def logits_of(forward: LoraForward, part: list[Row]) -> tuple[Tensor, Tensor, Tensor]:
    """(logits, targets, weights) of the predicted tokens of some rows, row by row in order."""
    length = len(part[0].ids)
    weights = torch.from_numpy(numpy.stack([row.weights for row in part])).flatten()
    sources = torch.from_numpy(numpy.stack([row.sources + number * length for number, row in enumerate(part)]))
    predicted = weights.nonzero()[:, 0]
    ids = torch.from_numpy(numpy.stack([row.ids for row in part])).long()
    positions = torch.from_numpy(numpy.stack([row.positions for row in part])).long()
    trees = torch.from_numpy(numpy.stack([row.trees for row in part]))
    branches = torch.from_numpy(numpy.stack([row.branches for row in part]))
    states = forward(ids, positions, bars(trees, branches, forward.dtype), sources.flatten()[predicted].long())
    return states @ forward.head.T, ids.flatten()[predicted], weights[predicted]


def finish_part(
    out: Path,
    module: PeftModel,
    forward: LoraForward,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    held: Held,
    end_id: int,
    settings: Settings,
    log: Log,
) -> None:
    """Save what a resumed run needs, ask the held-out records, and keep the adapter if it is the best so far."""
    progress.sittings += 1
    with torch.no_grad():
        found = scores(lambda part: logits_of(forward, part), held, settings.length, end_id)
    log.write(
        event="evaluation", step=progress.step, tokens=progress.tokens, **{k: round(v, 4) for k, v in found.items()}
    )
    if found["mean"] >= progress.best:
        progress.best = found["mean"]
        save_adapter(module, out / "best")
    save_adapter(module, out / "last")
    save(out / STATE, module, optimizer, progress)


def save_adapter(module: PeftModel, folder: Path) -> None:
    """In PEFT's layout, the weights in bfloat16."""
    module.save_pretrained(str(folder))
    file = folder / "adapter_model.safetensors"
    with safe_open(file, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name).to(torch.bfloat16).contiguous() for name in stored.keys()}  # noqa: SIM118
    save_file(tensors, file, metadata={"format": "pt"})


def save(file: Path, module: PeftModel, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Weights, optimizer state and progress, whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            tensors[f"{name}|value"] = parameter.detach().contiguous()
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"{name}|{key}"] = value.contiguous()
    half = file.with_suffix(".half")
    save_file(tensors, half, metadata={"progress": json.dumps(asdict(progress))})
    half.replace(file)


def restore(file: Path, parameters: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> Progress:
    """Put weights and optimizer state in place, and say how far the run was."""
    with safe_open(file, framework="pt") as stored, torch.no_grad():
        progress = Progress(**json.loads(stored.metadata()["progress"]))
        for key in stored.keys():  # noqa: SIM118
            name, _, what = key.rpartition("|")
            if what == "value":
                parameters[name].copy_(stored.get_tensor(key))
            else:
                optimizer.state.setdefault(parameters[name], {})[what] = stored.get_tensor(key)
    return progress


if __name__ == "__main__":
    main()
