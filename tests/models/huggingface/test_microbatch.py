"""The parts that a step goes in change the memory that it takes, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from hybridmem.continual import registry
from hybridmem.continual.base import NightInput
from hybridmem.continual.composed import EVERY_OBJECTIVE
from hybridmem.core.errors import ModelTooLarge
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.memory_budget import MemoryBudget, Shape
from hybridmem.models.huggingface.microbatch import PART_SLOTS, microbatches, part_slots
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.teacher import teacher_targets
from hybridmem.models.huggingface.training_adapter import BackwardPass, TokenCounts, predictions, total_loss
from hybridmem.models.trainable import Example, TeacherPredictions
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings
from hybridmem.training.trainer import train
from tests.dreaming.nights import QUICK, fact, items_of
from tests.models import families

FACTS = [fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo")]
ITEMS = [item for f in FACTS for item in items_of(f)]
GENERAL = [tuple(range(50 + n, 74 + n)) for n in range(4)]
Gradients = tuple[list[torch.Tensor], float, float]
"""(gradients, loss, known share) of one step."""
AMPLE = MemoryBudget(Shape(2, 32, 32, 48, 4, 300), 2**40)
SHORT = replace(QUICK, min_steps=1, max_steps=3)
FAMILIES = ["llama", "lfm2", "gemma2", "gpt2"]


def night(model: HuggingFaceModel, settings: TrainSettings = QUICK, *, strategy: str = "replay") -> TrainingPlan:
    given = NightInput(tuple(FACTS), (), tuple(ITEMS), {}, tuple(GENERAL), None, 0)
    return registry.get(strategy).plan(model, given, settings)


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    folder = families.save(request.param, tmp_path_factory.mktemp(request.param))
    return HuggingFaceModel.load(folder, device="cpu")


# Every family's gradients are compared; whole trainings of the plainest and of the one that caps its logits will do.
trained = pytest.mark.parametrize(
    "model",
    [name if name in ("llama", "gemma2") else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES],
    indirect=True,
    scope="module",
)


@pytest.fixture(scope="module")
def whole(model: HuggingFaceModel) -> Gradients:
    return gradients(model, AMPLE)


def gradients(model: HuggingFaceModel, room: MemoryBudget, scale: float = 1.0) -> Gradients:
    """Those of one step, at an adapter that is no longer zero."""
    plan = night(model)
    rows = plan.sampler.rows(0)
    with model.adapted(None):
        taught, _ = teacher_targets(model.module, plan.sampler.examples(), QUICK.top_k, model.end_id)
    with model.new_adapter(lora_config(model.module, 4, 8), seed=0) as student:
        parameters = student.parameters()
        for number, parameter in enumerate(parameters):
            torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(number))
        step = BackwardPass(model, taught, plan.objectives, QUICK.certain, bf16=False)
        done = step.run(rows, room, scale)
        assert done is not None
        assert done.tokens == sum(len(row.prompt) + len(row.completion) for row in rows)
        return [p.grad.clone() for p in parameters if p.grad is not None], done.loss, done.known


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("limit", [0, 3_000_000, 2**40])
def test_gradients_are_the_same_in_any_parts(
    model: HuggingFaceModel, whole: Gradients, limit: int, recompute: bool
) -> None:
    room = MemoryBudget(Shape.of(model.module.config), limit, recompute)
    rows = night(model).sampler.rows(0)
    assert (len(microbatches(rows, room)) == len(rows)) == (limit == 0)
    expected, loss, known = whole
    found, other, share = gradients(model, room)
    assert (other, share) == (pytest.approx(loss, rel=1e-5), known)
    assert len(found) == len(expected) > 8
    for one, two in zip(found, expected, strict=True):
        assert torch.allclose(one, two, atol=1e-6 + 1e-4 * two.abs().max().item())


def test_a_step_in_parts_has_the_loss_of_the_whole() -> None:
    torch.manual_seed(0)
    rows = [
        Example((1, 2), (3, 4), (1, 2), gold=True),
        Example((), (5, 6, 7), (), gold=False),
        Example((1,), (3,), (2, 1), gold=True),
    ]
    logprobs = torch.randn(2 + 2 + 1, 10).log_softmax(-1)
    taught = {
        row: TeacherPredictions(part.topk(4).indices, part.topk(4).values, torch.ones(len(part), dtype=torch.bool))
        for row, part in zip(rows, torch.randn(5, 10).log_softmax(-1).split([2, 2, 1]), strict=True)
    }
    objectives = [objective(TrainSettings()) for objective in EVERY_OBJECTIVE]
    whole = total_loss(objectives, predictions(logprobs, rows, taught))
    counts = TokenCounts.of(rows)
    assert counts == TokenCounts(answer=3, text=2)
    parts = [
        total_loss(objectives, predictions(part, [row], taught, counts))
        for row, part in zip(rows, logprobs.split([2, 2, 1]), strict=True)
    ]
    assert sum(part.item() for part in parts) == pytest.approx(whole.item(), rel=1e-5)


examples = some.lists(
    some.tuples(some.integers(0, 60), some.integers(1, 30)).map(
        lambda n: Example(tuple(range(n[0])), tuple(range(n[1])), (), gold=True)
    ),
    min_size=1,
    max_size=24,
)


def _cost(parts: Sequence[Sequence[Example]]) -> int:
    lengths = [[len(e.prompt) + len(e.completion) for e in part] for part in parts]
    return sum(200 + len(part) * max(part) for part in lengths)


@pytest.mark.parametrize("hidden", [64, 256, 576, 4096])
def test_a_part_costs_fewer_tokens_the_wider_a_layer_is(hidden: int) -> None:
    shape = Shape(8, hidden, hidden, 2 * hidden, 4, 2048)
    slots = part_slots(shape)
    assert 1 <= slots <= PART_SLOTS
    assert (slots == PART_SLOTS) == (hidden <= 256)
    wider = part_slots(replace(shape, intermediate=4 * hidden))
    assert wider < slots or hidden < 256 or slots == 1


def _scored(row: Example) -> range:
    return range(max(0, len(row.prompt) - 1), len(row.prompt) + len(row.completion) - 1)


@given(examples, some.integers(0, 10_000_000))
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_one_part_and_every_part_has_room(rows: list[Example], limit: int) -> None:
    room = replace(AMPLE, limit=limit)
    parts = microbatches(rows, room)
    assert sorted(map(id, (e for part in parts for e in part))) == sorted(map(id, rows))
    for part in parts:
        longest = max(len(e.prompt) + len(e.completion) for e in part)
        assert room.trains(len(part), longest, len({at for e in part for at in _scored(e)}))
    assert microbatches(rows, AMPLE) == microbatches(rows)
    assert _cost(microbatches(rows)) <= _cost(parts)
    assert _cost(microbatches(rows)) <= min(_cost([rows]), _cost([[row] for row in rows]))


@trained
def test_a_training_in_little_memory_learns_the_same(model: HuggingFaceModel, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    made = []
    for name, memory in (("ample", 8.0), ("tight", 1e-6)):
        model._memory_gb = memory
        done = train(model, night(model, SHORT), SHORT, 0, tmp_path / name)
        assert math.isfinite(done.loss)
        made.append(load_file(tmp_path / name / "adapter_model.safetensors"))
    for key, value in made[0].items():
        # Muon makes a step of every direction, and so of the last digits too.
        assert torch.allclose(value, made[1][key], atol=2e-3), key


@trained
def test_where_the_estimate_was_wrong_the_parts_become_smaller(
    model: HuggingFaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model._memory_gb = 8.0
    whole = train(model, night(model, SHORT), SHORT, 0, tmp_path / "whole")
    part, sizes = BackwardPass._part, []

    def full(
        self: BackwardPass, rows: Sequence[Example], counts: TokenCounts, scale: float
    ) -> tuple[float, list[bool]]:
        sizes.append(len(rows))
        if len(rows) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate more")
        return part(self, rows, counts, scale)

    monkeypatch.setattr(BackwardPass, "_part", full)
    again = train(model, night(model, SHORT), SHORT, 0, tmp_path / "again")
    assert max(sizes) > 3
    assert (again.steps, again.tokens) == (whole.steps, whole.tokens)
    assert again.loss == pytest.approx(whole.loss, rel=0.05)


def test_what_does_not_even_fit_row_by_row_is_one_line(
    model: HuggingFaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> tuple[float, list[bool]]:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate more")

    monkeypatch.setattr(BackwardPass, "_part", full)
    with pytest.raises(ModelTooLarge, match="quantize=4bit") as caught:
        train(model, night(model, SHORT, strategy="naive"), SHORT, 0, tmp_path / "never")
    assert "\n" not in str(caught.value)


@trained
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_are_trained_with_float32_adapters(
    model: HuggingFaceModel, whole: Gradients, tmp_path: Path, dtype: torch.dtype
) -> None:
    from safetensors.torch import load_file

    half = HuggingFaceModel.load(model._weights[0].parent, device="cpu", dtype=dtype)
    exact, loss, _ = whole
    scale = 4096.0 if dtype == torch.float16 else 1.0
    found, other, _ = gradients(half, AMPLE, scale)
    assert other == pytest.approx(loss, rel=0.1)
    assert {gradient.dtype for gradient in found} == {torch.float32}
    together = torch.cat([gradient.flatten() for gradient in found]) / scale
    assert torch.cosine_similarity(together, torch.cat([g.flatten() for g in exact]), dim=0) > 0.95
    done = train(half, night(half, SHORT), SHORT, 0, tmp_path / "half")
    assert math.isfinite(done.loss)
    assert {tensor.dtype for tensor in load_file(tmp_path / "half" / "adapter_model.safetensors").values()} == {
        torch.float32
    }
