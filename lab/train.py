"""Train a base within a given number of minutes: on a GPU where there is one, on a few CPU cores otherwise.

    python -m lab.train --minutes 45 --seed 0 --text ../shared/data/text --out runs/base
    python -m lab.train --design large --rows 256 --text ../shared/data/text --out runs/large

The learning rate warms up, stays, and falls to zero over the last quarter of the minutes (warmup-stable-decay,
Hu et al. 2024, arXiv:2404.06395), by the clock, so that a slower machine ends as well annealed as a fast one.
Matrices are trained by Muon (Jordan et al. 2024), the embedding, norms and convolutions by AdamW. Documents are
made, tokenized and packed by a second process. A run is reproducible up to the clock and the rounding of threads.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import multiprocessing
import os
import queue
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

from hybridmem.models.huggingface.muon import Muon
from hybridmem.models.huggingface.precision import multiplies_bf16
from lab.architecture import DESIGNS, Shape, fresh_model
from lab.checkpoint import Progress, as_shipped, restore, save
from lab.forward import Forward
from lab.log import Log
from lab.packing import Weights, pack, pieces
from lab.quick_evaluation import exact_match
from lab.schedule import rate_factor
from lab.tokenizer import END, PAD, load_tokenizer, token_id, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

DOCUMENTS = "lab.documents"


@dataclass(frozen=True)
class Settings:
    """What a training does; times in seconds."""

    shape: Shape = field(default_factory=Shape)
    weights: Weights = field(default_factory=Weights)
    vocabulary: int = 2048
    tokenizer_sample: int = 6000
    length: int = 256
    rows: int = 32
    muon_rate: float = 0.02
    muon_decay: float = 0.05
    adam_rate: float = 0.004
    warmup_steps: int = 60
    decay_share: float = 0.6
    clip: float = 1.0
    sampled: float = 0.25
    """The share of question and text tokens whose loss is computed; each counts 1/share, so the mean is the same."""
    log_every: float = 30.0
    save_every: float = 300.0
    evaluation_seconds: float = 20.0
    cases_per_job: int = 40
    threads: int = 2
    device: str = "cpu"


class Batch(NamedTuple):
    """Rows of tokens: ids and segments as int16, loss weights as float32, each (rows, tokens)."""

    ids: NDArray[numpy.int16]
    segments: NDArray[numpy.int16]
    weights: NDArray[numpy.float32]


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m lab.train", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--steps", type=int, help="end after so many steps where the minutes allow more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text", type=Path, help="the folder of general text; none: the generated documents alone")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--init", type=Path, help="start from the weights and the tokenizer in this folder")
    parser.add_argument("--eager", action="store_true", help="do not compile (the default without a C++ compiler)")
    parser.add_argument("--threads", type=int, default=Settings.threads)
    parser.add_argument("--rate", type=float, default=1.0, help="a factor of both learning rates")
    parser.add_argument(
        "--decay", type=float, default=Settings.decay_share, help="the share of the time with a falling rate"
    )
    parser.add_argument("--design", choices=DESIGNS, default="hybrid", help="the shape of a new base")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rows", type=int, default=Settings.rows, help="rows of a step, each of --length tokens")
    parser.add_argument("--length", type=int, default=Settings.length)
    parser.add_argument("--tiny", action="store_true", help="a toy shape, to try the loop in seconds")
    parser.add_argument("--documents", default=DOCUMENTS, help="the module whose stream() is learned")
    given = parser.parse_args()
    settings = TINY if given.tiny else Settings(shape=DESIGNS[given.design], rows=given.rows, length=given.length)
    train(
        replace(
            settings,
            device=given.device,
            threads=given.threads,
            muon_rate=given.rate * settings.muon_rate,
            adam_rate=given.rate * settings.adam_rate,
            decay_share=given.decay,
        ),
        minutes=given.minutes,
        steps=given.steps,
        seed=given.seed,
        text=given.text,
        out=given.out,
        resume=given.resume,
        init=given.init,
        compiled=not given.eager and can_compile(),
        documents=given.documents,
    )


TINY = Settings(
    shape=Shape(hidden=64, layers=2, heads=2, key_value_heads=1, feed_forward=128),
    vocabulary=512,
    tokenizer_sample=300,
    rows=8,
    warmup_steps=5,
    log_every=0.1,
    evaluation_seconds=2.0,
    cases_per_job=10,
)


def can_compile() -> bool:
    """Whether `torch.compile` finds a C++ compiler here."""
    return shutil.which(os.environ.get("CXX", "g++")) is not None


def train(
    settings: Settings,
    *,
    minutes: float,
    steps: int | None = None,
    seed: int,
    text: Path | None,
    out: Path,
    resume: bool = False,
    init: Path | None = None,
    compiled: bool = False,
    documents: str = DOCUMENTS,
) -> None:
    """Train for `minutes`, or for `steps` where these are over first, leaving checkpoints and a log in `out`.

    The minutes and steps of a resumed run's earlier sittings count; making the tokenizer and the first batch does not.
    """
    torch.set_num_threads(settings.threads)
    out.mkdir(parents=True, exist_ok=True)
    source = out if resume else init
    device = torch.device(settings.device)
    tokenizer, model = _prepare(settings, source, seed=seed, text=text, documents=documents)
    model.to(device)
    optimizers = make_optimizers(model, settings)
    progress = restore(out, model, optimizers) if resume else Progress()
    tokenizer.save_pretrained(out)
    before = progress.seconds
    total = minutes * 60
    log = Log(out / "log.jsonl", append=resume)
    log.write(
        event="start",
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        compiled=compiled,
        threads=settings.threads,
        device=settings.device,
    )
    bf16 = multiplies_bf16(device)
    forward = Forward(model, compiled=compiled, dtype=torch.bfloat16 if bf16 else torch.float32)
    cases = importlib.import_module(documents).evaluation_set(seed + 1, settings.cases_per_job)
    chance = torch.Generator().manual_seed(seed + progress.sittings)
    meter = Meter()
    offered = produced(settings, out, seed=seed + 1_000_003 * progress.sittings, text=text, documents=documents)
    first = next(offered)
    started = logged = saved = time.monotonic()
    for batch in itertools.chain([first], offered):
        progress.seconds = before + time.monotonic() - started
        share = max(progress.seconds / total, progress.step / steps if steps else 0.0)
        if share >= 1:
            break
        rate = rate_factor(progress.step, share, warmup_steps=settings.warmup_steps, decay_share=settings.decay_share)
        meter.add(*step(forward, optimizers, batch, settings, rate=rate, chance=chance), tokens=batch.ids.size)
        progress.step += 1
        progress.tokens += batch.ids.size
        now = time.monotonic()
        if now - logged >= settings.log_every:
            log.write(step=progress.step, tokens=progress.tokens, rate=round(rate, 4), **meter.read(now - logged))
            logged = now
        if now - saved >= settings.save_every:
            _finish_part(out, model, tokenizer, optimizers, progress, settings, cases, log)
            saved = logged = time.monotonic()
            meter.read(1.0)
    offered.close()
    _finish_part(out, model, tokenizer, optimizers, progress, settings, cases, log)


def _prepare(
    settings: Settings, source: Path | None, *, seed: int, text: Path | None, documents: str
) -> tuple[PreTrainedTokenizerFast, PreTrainedModel]:
    from transformers import AutoModelForCausalLM

    if source is not None:
        return load_tokenizer(source), AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    sample = importlib.import_module(documents).stream(seed + 2, text)
    tokenizer = train_tokenizer(
        sample, vocabulary=settings.vocabulary, sample=settings.tokenizer_sample, positions=settings.shape.positions
    )
    model = fresh_model(
        settings.shape,
        vocabulary=settings.vocabulary,
        pad=token_id(tokenizer, PAD),
        end=token_id(tokenizer, END),
        seed=seed,
    )
    return tokenizer, model


def make_optimizers(model: PreTrainedModel, settings: Settings) -> dict[str, torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        (matrices if parameter.ndim == 2 and "embed" not in name else others).append(parameter)
    return {
        "muon": Muon(matrices, lr=settings.muon_rate, weight_decay=settings.muon_decay),
        "adamw": torch.optim.AdamW(others, lr=settings.adam_rate, betas=(0.9, 0.95), weight_decay=0.0, foreach=True),
    }


def step(
    forward: Forward,
    optimizers: dict[str, torch.optim.Optimizer],
    batch: Batch,
    settings: Settings,
    *,
    rate: float,
    chance: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """One step on one batch: the weighted loss, and the plain mean loss of the answer tokens."""
    device = forward.model.device
    chosen, counted = (part.to(device) for part in sampled_positions(torch.from_numpy(batch.weights), settings, chance))
    ids = torch.from_numpy(batch.ids).long().to(device)
    states = forward(ids, torch.from_numpy(batch.segments).to(device), chosen)
    embedding = forward.model.get_input_embeddings().weight
    logits = functional.linear(states, embedding.to(states.dtype)).float()
    losses = functional.cross_entropy(logits, ids.flatten()[chosen + 1], reduction="none")
    loss = (losses * counted).sum() / counted.sum()
    torch.autograd.backward(loss)
    parameters = [parameter for parameter in forward.model.parameters() if parameter.grad is not None]
    torch.nn.utils.clip_grad_norm_(parameters, settings.clip, foreach=True)
    for kind, base in (("muon", settings.muon_rate), ("adamw", settings.adam_rate)):
        for group in optimizers[kind].param_groups:
            group["lr"] = base * rate
        optimizers[kind].step()
        optimizers[kind].zero_grad(set_to_none=True)
    answers = counted == settings.weights.answer
    return loss.detach(), losses.detach()[answers].mean()


def sampled_positions(weights: Tensor, settings: Settings, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """The flat positions that predict a counted token, and what each counts: all answers, a sample of the rest."""
    upcoming = functional.pad(weights[:, 1:], (0, 1)).flatten()
    answers = upcoming == settings.weights.answer
    lucky = torch.rand(upcoming.shape, generator=chance) < settings.sampled
    chosen = ((upcoming > 0) & (answers | lucky)).nonzero().squeeze(1)
    counted = torch.where(answers, upcoming, upcoming / settings.sampled)[chosen]
    return chosen, counted


def _finish_part(
    out: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    optimizers: dict[str, torch.optim.Optimizer],
    progress: Progress,
    settings: Settings,
    cases: dict[str, list[Any]],
    log: Log,
) -> None:
    progress.sittings += 1
    save(out, model, tokenizer, optimizers, progress)
    progress.sittings -= 1
    rates = exact_match(as_shipped(model).float(), tokenizer, cases, seconds=settings.evaluation_seconds)
    mean = sum(rates.values()) / max(1, len(rates))
    log.write(event="evaluation", step=progress.step, tokens=progress.tokens, mean=round(mean, 3), **rates)


class Meter:
    """The means of what was added since the last reading."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.answers: list[Tensor] = []
        self.tokens = 0

    def add(self, loss: Tensor, answer: Tensor, *, tokens: int) -> None:
        self.losses.append(loss)
        self.answers.append(answer)
        self.tokens += tokens

    def read(self, seconds: float) -> dict[str, float]:
        """Loss, answer loss and tokens a second over `seconds`; starts anew."""
        if not self.losses:
            return {}
        read = {
            "loss": round(float(torch.stack(self.losses).mean()), 4),
            "answer_loss": round(float(torch.stack(self.answers).nanmean()), 4),
            "tokens_per_second": round(self.tokens / seconds),
        }
        self.__init__()  # type: ignore[misc]
        return read


def produced(
    settings: Settings, tokenizer: Path, *, seed: int, text: Path | None, documents: str
) -> Generator[Batch, None, None]:
    """Batches from a process of their own, until the caller stops reading."""
    context = multiprocessing.get_context("spawn")
    ready: multiprocessing.Queue[Batch] = context.Queue(maxsize=16)
    producer = context.Process(target=_produce, args=(ready, settings, tokenizer, seed, text, documents), daemon=True)
    producer.start()
    try:
        while True:
            try:
                yield ready.get(timeout=5.0)
            except queue.Empty:
                if not producer.is_alive():
                    raise RuntimeError("the documents' process ended; its error stands above") from None
    finally:
        producer.terminate()
        producer.join()


def _produce(
    ready: multiprocessing.Queue[Batch], settings: Settings, folder: Path, seed: int, text: Path | None, documents: str
) -> None:
    if hasattr(os, "nice"):
        os.nice(10)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    for batch in batches(settings, folder, seed=seed, text=text, documents=documents):
        while parent is not None:
            with contextlib.suppress(queue.Full):
                ready.put(batch, timeout=5.0)
                break
            if not parent.is_alive():
                # A killed training cleans nothing up; waiting on its queue would be forever.
                ready.cancel_join_thread()
                return


def batches(settings: Settings, folder: Path, *, seed: int, text: Path | None, documents: str) -> Iterator[Batch]:
    """The stream of `documents`, tokenized by the tokenizer in `folder`, as batches of packed rows."""
    tokenizer = load_tokenizer(folder)
    stream = importlib.import_module(documents).stream(seed, text)
    cut = pieces(stream, tokenizer, settings.weights, settings.length)
    rows = pack(cut, length=settings.length, pad=token_id(tokenizer, PAD))
    while group := list(itertools.islice(rows, settings.rows)):
        yield Batch(
            numpy.stack([row.ids for row in group]),
            numpy.stack([row.segments for row in group]),
            numpy.stack([row.weights for row in group]),
        )


if __name__ == "__main__":
    main()
