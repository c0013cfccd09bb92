"""How many facts an adapter holds: facts against rank and parameters, where it breaks, and what the night costs.

For each rank an adapter learns more and more invented facts, twice as many each time, until the share that it recalls
falls below a threshold. Every fact gets the recipe's exposures, however many steps that takes, so that what breaks is
the adapter and not the night's budget. A value's bits are the logarithm of the number of values that it was drawn from,
and an adapter holds those of the facts that greedy decoding recalls. Language models hold about two bits a parameter
when trained to their full capacity (Allen-Zhu and Li 2024, arXiv:2404.05405).
"""

from __future__ import annotations

import dataclasses
import math
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem import metrics
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation import economics, fiction
from hybridmem.evaluation.economics import Economics
from hybridmem.evaluation.real_model import loaded
from hybridmem.evaluation.stream import StreamFact, make_stream
from hybridmem.metrics import Cell
from hybridmem.models import prompts
from hybridmem.models.trainable import Example

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from hybridmem.training.settings import TrainSettings

REFERENCE_BITS = 2.0
"""Bits a parameter that a language model holds at most (arXiv:2404.05405)."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """One adapter, trained on so many facts at once."""

    rank: int
    parameters: int
    facts: int
    recalled: float
    """Proportion of the facts that greedy decoding gives in a wording that was trained."""
    generality: float
    """The same in a wording that was not."""
    bits: float
    """Of the values of all facts."""
    bits_per_parameter: float
    """Of the values of the recalled facts."""
    steps: int
    trained_tokens: int
    seconds: float
    """Of the training."""
    break_even_questions: Cell
    """Answers from the weights that pay for the training in seconds; None where it never pays."""
    prompt_tokens_saved: Cell
    """Of an answer from the weights against one by retrieval."""


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """Figures of one run on one machine."""

    model: str
    base_sha256: str
    recipe: str
    targets: str
    exposures: int
    threshold: float
    points: tuple[CapacityPoint, ...]
    breaks_at: dict[int, int | None]
    """By rank: the fewest facts of which less than the threshold was recalled; None where all were held."""
    reference_bits_per_parameter: float
    seed: int
    threads: int
    machine: str
    date: str


def run(
    *,
    model: str | None = None,
    embedder: str | None = None,
    recipe: str | Path | None = None,
    ranks: Sequence[int] = (1, 2, 4),
    targets: str = "all-linear",
    fewest: int = 20,
    most: int = 80,
    threshold: float = 0.9,
    seed: int = 0,
    progress: Progress = lambda step, done, total: None,
) -> CapacityReport:
    """Adapters of all `ranks` on `fewest` facts, twice as many and so on up to `most`, until less than `threshold` of
    them are recalled.

    Raises `InvalidInput`, or `ModelError` for a model without weights."""
    if not ranks or min(ranks) < 1 or not 0 < fewest <= most or not 0 < threshold <= 1:
        raise InvalidInput("capacity needs ranks of 1 or more, facts from 1 to as many or more, a threshold up to 1")
    import torch

    from hybridmem.dreaming import recipes

    base = loaded(model)
    chosen = recipes.load(recipe or recipes.DEFAULT, base.name)
    sizes = list(_doubled(fewest, most))
    costs: dict[int, Economics] = {}
    points: list[CapacityPoint] = []
    breaks_at: dict[int, int | None] = dict.fromkeys(ranks)
    for number, rank in enumerate(ranks):
        settings = _of_rank(chosen.train, rank, targets)
        for at, facts in enumerate(sizes):
            progress(f"rank {rank}, {facts} facts", number * len(sizes) + at, len(ranks) * len(sizes))
            stated = make_stream(seed, 1, facts).facts
            if facts not in costs:
                costs[facts] = _answers_cost(base, embedder, stated)
            point = _point(base, stated, settings, seed, costs[facts])
            points.append(point)
            if point.recalled < threshold:
                breaks_at[rank] = facts
                break
    return CapacityReport(
        model=base.name,
        base_sha256=base.sha256,
        recipe=chosen.name,
        targets=targets,
        exposures=chosen.train.exposures,
        threshold=threshold,
        points=tuple(points),
        breaks_at=breaks_at,
        reference_bits_per_parameter=REFERENCE_BITS,
        seed=seed,
        threads=torch.get_num_threads(),
        machine=platform.processor() or platform.machine(),
        date=date.today().isoformat(),
    )


def value_bits(fact: StreamFact) -> float:
    """The bits that tell the value of an invented `fact` from all that it could have been."""
    kind = next(relation.object for relation in fiction.relations() if relation.name == fact.relation)
    return math.log2(fiction.choices(kind))


def _doubled(fewest: int, most: int) -> Iterator[int]:
    while fewest <= most:
        yield fewest
        fewest *= 2


def _of_rank(settings: TrainSettings, rank: int, targets: str) -> TrainSettings:
    """`settings` for adapters of `rank`, whose update has the same scale."""
    alpha = max(1, round(rank * settings.alpha / settings.rank))
    return dataclasses.replace(settings, rank=rank, alpha=alpha, targets=targets)


def _point(
    model: HuggingFaceModel, stated: Sequence[StreamFact], settings: TrainSettings, seed: int, costs: Economics
) -> CapacityPoint:
    from hybridmem.continual.objectives import CrossEntropy
    from hybridmem.training.examples import ExamplePools
    from hybridmem.training.plan import TrainingPlan
    from hybridmem.training.sampler import PoolSampler
    from hybridmem.training.trainer import train

    trained = tuple(tuple(_row(model, asked, fact) for asked in fact.test_questions[:-1]) for fact in stated)
    plan = TrainingPlan(
        sampler=PoolSampler(ExamplePools(new=trained), settings, seed),
        objectives=(CrossEntropy.of(settings),),
        parent=None,
        steps=settings.steps_for(len(stated), bounded=False),
    )
    with tempfile.TemporaryDirectory(prefix="hybridmem-capacity-") as folder:
        adapter = Path(folder)
        started = time.perf_counter()
        done = train(model, plan, settings, seed, adapter)
        seconds = time.perf_counter() - started
        known = [each.margin > 0 for each in model.recall([rows[0] for rows in trained], adapter)]
        unseen = [_row(model, fact.test_questions[-1], fact) for fact in stated]
        general = [each.margin > 0 for each in model.recall(unseen, adapter)]
        parameters = _parameters(adapter)
        model.forget(adapter)
    bits = [value_bits(fact) for fact in stated]
    held = sum(one for one, is_known in zip(bits, known, strict=True) if is_known)
    costs = dataclasses.replace(costs, dream_seconds=seconds)
    return CapacityPoint(
        rank=settings.rank,
        parameters=parameters,
        facts=len(stated),
        recalled=metrics.proportion(known),
        generality=metrics.proportion(general),
        bits=sum(bits),
        bits_per_parameter=held / parameters,
        steps=done.steps,
        trained_tokens=done.tokens,
        seconds=seconds,
        break_even_questions=costs.break_even_questions,
        prompt_tokens_saved=_saved(costs),
    )


def _row(model: HuggingFaceModel, question: str, fact: StreamFact) -> Example:
    """A closed-book question on `fact`; there is no teacher."""
    prompt, completion = model.render_pair(prompts.answer(question), fact.answer)
    return Example(tuple(prompt), tuple(completion), (), gold=True)


def _parameters(adapter: Path) -> int:
    from safetensors.torch import load_file

    from hybridmem.models.huggingface.adapter_files import WEIGHTS

    return sum(tensor.numel() for tensor in load_file(adapter / WEIGHTS).values())


def _answers_cost(model: HuggingFaceModel, embedder: str | None, stated: Sequence[StreamFact]) -> Economics:
    """What answers cost by either route in a memory of these facts. Without an adapter the weights that answer are the
    bare base's: it costs the same."""
    from hybridmem.memory import HybridMemory

    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-capacity-") as folder,
        HybridMemory.open(Path(folder) / "memory", namespace=("bench",), model=model, embedder=embedder) as memory,
    ):
        for fact in stated:
            memory.add(fact.text)
        return economics.measured(memory, [fact.test_questions[-1] for fact in stated], ())


def _saved(costs: Economics) -> Cell:
    if costs.retrieval_prompt_tokens is None or costs.weights_prompt_tokens is None:
        return None
    return costs.retrieval_prompt_tokens - costs.weights_prompt_tokens
