"""What a dream costs with a model of a given size: seconds and memory of its training, measured on random weights.

    python -m hybridmem.evaluation.suites.dream_cost --json runs/dream_cost.json

Each size is a Llama of random weights with the bundled base's tokenizer, trained for a few steps of the recipe
`default` on invented facts, in a process of its own, so that its peak of memory is its own. What random weights cannot
do, they do not: extracting facts and writing questions is measured as tokens written a second.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.core.process import peak_memory_mb
from hybridmem.evaluation.stream import StreamFact, make_stream

if TYPE_CHECKING:
    from hybridmem.dreaming.recipes import Recipe
    from hybridmem.models.huggingface.model import HuggingFaceModel

SIZES = ((4, 192), (6, 256), (8, 512), (12, 640), (12, 896))
"""(layers, hidden) of the models."""
NIGHTS = (10, 20, 40)
"""Facts per night."""
STEPS = 6
_SEED = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one model, on this machine."""

    parameters: int
    tokens_a_step: int
    """Of all rows of a training step, padding left out."""
    seconds_a_step: float
    teacher_seconds: float
    """Of the teacher's pass over the exercises of `NIGHTS[0]` facts."""
    training_mb: float
    """Peak of the process's memory in training beyond what it held once the model was loaded, in MiB."""
    weights_mb: float
    tokens_written_a_second: float
    """In a batch of 16, as extracting facts and writing questions does."""
    training_seconds: dict[int, float]
    """Of a night of so many facts: steps by the recipe, times `seconds_a_step`."""


def measure(layers: int, hidden: int) -> Cost:
    """The cost of a Llama of that shape, in this process: run it in a fresh one for `training_mb` to mean something."""
    from hybridmem.dreaming import recipes
    from hybridmem.models import bundled
    from hybridmem.models.huggingface.model import HuggingFaceModel

    with tempfile.TemporaryDirectory(prefix="hybridmem-cost-") as place:
        _save(Path(place) / "model", layers, hidden, bundled.folder())
        model = HuggingFaceModel.load(Path(place) / "model")
        recipe = recipes.load("default")
        stated = make_stream(_SEED, 1, NIGHTS[0]).facts
        training = _time_training(model, recipe, stated, Path(place))
        rate = _tokens_written_a_second(model, stated)
    return Cost(
        parameters=sum(p.numel() for p in model.module.parameters()),
        tokens_a_step=training.tokens_a_step,
        seconds_a_step=training.seconds_a_step,
        teacher_seconds=training.teacher_seconds,
        training_mb=training.megabytes,
        weights_mb=sum(p.numel() * p.element_size() for p in model.module.parameters()) / 1e6,
        tokens_written_a_second=rate,
        training_seconds={facts: training.seconds_a_step * recipe.train.steps_for(facts) for facts in NIGHTS},
    )


@dataclass(frozen=True, slots=True)
class _TrainingCost:
    tokens_a_step: int
    seconds_a_step: float
    teacher_seconds: float
    megabytes: float


def _time_training(model: HuggingFaceModel, recipe: Recipe, stated: Sequence[StreamFact], place: Path) -> _TrainingCost:
    """One step with the teacher, which also warms up, and `STEPS` steps without."""
    from hybridmem.evaluation.exercises import first_night
    from hybridmem.training.trainer import train

    settings = dataclasses.replace(recipe.train, checkpoint_seconds=3600.0)
    plan = first_night(model, stated, dataclasses.replace(recipe, train=settings), _SEED)
    untaught = tuple(objective for objective in plan.objectives if not objective.needs_teacher)
    before = peak_memory_mb()
    started = time.monotonic()
    train(model, dataclasses.replace(plan, steps=1), settings, _SEED, place / "warm")
    warm = time.monotonic() - started
    started = time.monotonic()
    done = train(model, dataclasses.replace(plan, objectives=untaught, steps=STEPS), settings, _SEED, place / "timed")
    step = (time.monotonic() - started) / STEPS
    return _TrainingCost(done.tokens // STEPS, step, max(0.0, warm - step), peak_memory_mb() - before)


def _tokens_written_a_second(model: HuggingFaceModel, stated: Sequence[StreamFact]) -> float:
    from hybridmem.models import prompts

    asked = [prompts.question(fact.text) for fact in stated] * 2
    started = time.monotonic()
    written = sum(g.tokens for g in model.generate(asked[:16], max_new_tokens=48, temperature=1.0))
    return written / (time.monotonic() - started)


def _save(folder: Path, layers: int, hidden: int, tokenizer: Path) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(_SEED)
    words = AutoTokenizer.from_pretrained(tokenizer, local_files_only=True)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        num_key_value_heads=hidden // 64,
        max_position_embeddings=2048,
        pad_token_id=words.pad_token_id,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)


def run(sizes: Sequence[tuple[int, int]] = SIZES) -> dict[str, Any]:
    """The costs of all `sizes`, each in a process of its own, and the machine that they are of."""
    import torch

    costs = []
    for layers, hidden in sizes:
        command = [
            sys.executable,
            "-P",
            "-m",
            "hybridmem.evaluation.suites.dream_cost",
            "--one",
            str(layers),
            str(hidden),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
        costs.append(json.loads(done.stdout.splitlines()[-1]))
    machine = {"processor": platform.processor() or platform.machine(), "threads": torch.get_num_threads()}
    return {"machine": machine, "torch": torch.__version__, "costs": costs}


def main() -> None:
    """Read the command line, measure, and print a table or JSON."""
    about = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m hybridmem.evaluation.suites.dream_cost", description=about)
    parser.add_argument("--one", type=int, nargs=2, metavar=("LAYERS", "HIDDEN"), help="this size alone, here")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    if given.one:
        sys.stdout.write(json.dumps(dataclasses.asdict(measure(*given.one))) + "\n")
        return
    found = run()
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    nights = "".join(f" {facts} facts (s) |" for facts in NIGHTS)
    columns = "parameters | weights (MB) | training (MiB) | a step (s) | written (tokens/s)"
    lines = [f"| {columns} |{nights}", f"|{'---|' * (5 + len(NIGHTS))}"]
    for cost in found["costs"]:
        seconds = "".join(f" {value:.0f} |" for value in cost["training_seconds"].values())
        lines.append(
            f"| {cost['parameters'] / 1e6:.1f} M | {cost['weights_mb']:.0f} | {cost['training_mb']:.0f} "
            f"| {cost['seconds_a_step']:.2f} | {cost['tokens_written_a_second']:.0f} |{seconds}"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
