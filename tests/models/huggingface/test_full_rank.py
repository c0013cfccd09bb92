"""Updates of full rank: as plain training of the dense weights, and out of the directions that are protected."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from hybridmem.continual.objectives import CrossEntropy
from hybridmem.core.errors import AdapterError
from hybridmem.models import prompts
from hybridmem.models.huggingface.adapter_files import read_update
from hybridmem.models.huggingface.lora import linear_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.muon import Muon
from hybridmem.models.huggingface.tensors import collate, logprobs_at
from hybridmem.models.huggingface.training_adapter import predictions, total_loss
from hybridmem.models.trainable import AdapterSettings, Example, FullRank, TrainingJob
from tests.models import families

if TYPE_CHECKING:
    from hybridmem.models.trainable import LoraUpdate

SHAPE = AdapterSettings(rank=4, alpha=4, targets="all-linear", momentum=0.9, weight_decay=0.01, bf16=False)
OBJECTIVES = (CrossEntropy(0.99),)
RATE = 0.05
PROTECTED = 0.25


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    """GPT-2 keeps its weights the other way round."""
    folder = families.save(request.param, tmp_path_factory.mktemp(request.param))
    return HuggingFaceModel.load(folder, device="cpu")


def rows(model: HuggingFaceModel) -> list[Example]:
    made = []
    for name, town in (("Ana", "Lisbon"), ("Ben", "Oslo")):
        prompt, completion = model.render_pair(prompts.answer(f"Where does {name} live?"), town)
        made.append(Example(tuple(prompt), tuple(completion), tuple(prompt), gold=True))
    return made


def job(model: HuggingFaceModel, protected: float = 0.0, parent: Path | None = None, **changed: Any) -> TrainingJob:
    shape = replace(SHAPE, **changed)
    full_rank = FullRank(protected)
    return TrainingJob(shape, tuple(rows(model)), OBJECTIVES, 4, 0.99, 0, parent=parent, full_rank=full_rank)


def trained(model: HuggingFaceModel, job: TrainingJob, folder: Path, steps: int = 3) -> dict[str, Tensor]:
    """By path of the layer: what was added to its weight, (outputs, inputs)."""
    with model.training(job) as adapter:
        for _ in range(steps):
            adapter.step(rows(model), RATE)
        adapter.save(folder)
    return dense(read_update(folder, model.module))


def dense(update: dict[str, LoraUpdate]) -> dict[str, Tensor]:
    return {path: b @ a for path, (a, b) in update.items()}


def weights(model: HuggingFaceModel) -> dict[str, Tensor]:
    """(outputs, inputs), as the base has them."""
    layers = linear_layers(model.module)
    return {
        path: layer.weight.detach().clone() if isinstance(layer, torch.nn.Linear) else layer.weight.detach().mT.clone()
        for path, layer in layers.items()
    }


def test_it_is_training_of_the_dense_weights(model: HuggingFaceModel, tmp_path: Path) -> None:
    module = copy.deepcopy(model.module).requires_grad_(False)
    layers = linear_layers(module)
    before, turned = weights(model), not isinstance(next(iter(layers.values())), torch.nn.Linear)
    moved = {path: torch.zeros_like(weight, requires_grad=True) for path, weight in before.items()}
    optimizer = Muon(list(moved.values()), lr=RATE, weight_decay=SHAPE.weight_decay, momentum=SHAPE.momentum)
    asked = rows(model)
    for _ in range(3):
        for path, layer in layers.items():
            weight = before[path] + moved[path]
            del layer.weight
            layer.weight = weight.mT if turned else weight
        ids, mask, where = collate([(row.prompt, row.completion) for row in asked], model.end_id, model.device)
        total_loss(OBJECTIVES, predictions(logprobs_at(module, ids, mask, where), asked, {})).backward()
        torch.nn.utils.clip_grad_norm_(list(moved.values()), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    found = trained(model, job(model), tmp_path)
    assert found.keys() == moved.keys()
    for path, update in found.items():
        assert torch.linalg.matrix_rank(update) > SHAPE.rank
        torch.testing.assert_close(update, moved[path].detach(), rtol=1e-3, atol=2e-5)


def test_it_goes_on_from_a_parent_of_any_rank_and_scale(model: HuggingFaceModel, tmp_path: Path) -> None:
    low, full, scaled, next_one = (tmp_path / name for name in ("low", "full", "scaled", "next"))
    before = trained(model, replace(job(model), full_rank=None), low)
    with model.training(job(model, parent=low)) as adapter:
        adapter.save(full)
    found = dense(read_update(full, model.module))
    for path, update in before.items():
        torch.testing.assert_close(found[path], update, rtol=1e-4, atol=1e-6)
    model.scale_adapter(full, 0.5, scaled)
    moved = trained(model, job(model, parent=scaled), next_one, steps=1)
    alone = trained(model, job(model, parent=scaled), tmp_path / "again", steps=1)
    assert all(torch.equal(moved[path], alone[path]) for path in moved)
    assert all(not torch.allclose(moved[path], before[path] / 2, atol=1e-4) for path in moved)


def test_a_parent_that_covers_more_layers_is_refused(model: HuggingFaceModel, tmp_path: Path) -> None:
    trained(model, job(model), tmp_path / "all", steps=1)
    with (
        pytest.raises(AdapterError, match="as well: train with its targets"),
        model.training(job(model, parent=tmp_path / "all", targets="mlp")),
    ):
        pass


def test_it_goes_on_from_a_checkpoint(model: HuggingFaceModel, tmp_path: Path) -> None:
    whole = trained(model, job(model, PROTECTED), tmp_path / "whole", steps=4)
    with model.training(job(model, PROTECTED)) as adapter:
        for _ in range(2):
            adapter.step(rows(model), RATE)
        adapter.save_checkpoint(tmp_path / "half.safetensors", {})
    with model.training(job(model, PROTECTED)) as adapter:
        adapter.load_checkpoint(tmp_path / "half.safetensors")
        for _ in range(2):
            adapter.step(rows(model), RATE)
        adapter.save(tmp_path / "resumed")
    resumed = dense(read_update(tmp_path / "resumed", model.module))
    assert all(torch.equal(whole[path], resumed[path]) for path in whole)


def test_the_largest_directions_of_the_weights_as_they_are_stay(model: HuggingFaceModel, tmp_path: Path) -> None:
    base = weights(model)
    first = trained(model, job(model, PROTECTED), tmp_path / "one")
    second = trained(model, job(model, PROTECTED, tmp_path / "one"), tmp_path / "two")
    nothing = {path: torch.zeros_like(weight) for path, weight in base.items()}
    for before, after in ((nothing, first), (first, second)):
        for path, update in after.items():
            moved = update - before[path]
            left, _, right = torch.linalg.svd(base[path] + before[path], full_matrices=False)
            kept = round(PROTECTED * min(moved.shape))
            assert moved.norm() > 1e-2
            assert (left[:, :kept].mT @ moved).norm() < 1e-4 * moved.norm()
            assert (moved @ right[:kept].mT).norm() < 1e-4 * moved.norm()
            assert torch.linalg.matrix_rank(moved, rtol=1e-4) <= min(moved.shape) - kept
