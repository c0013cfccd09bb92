"""Elastic weight consolidation and experience replay give the figures of Avalanche (Lomonaco et al. 2021,
arXiv:2104.00405), which is no dependency: `pip install avalanche-lib`, and these run."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from hybridmem.continual.objectives import CrossEntropy
from hybridmem.continual.penalties import ElasticWeights
from hybridmem.models.huggingface.lora import linear_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.tensors import collate, logprobs_at
from hybridmem.models.huggingface.training_adapter import predictions, total_loss
from hybridmem.models.trainable import AdapterSettings, Example, TrainingJob

pytest.importorskip("avalanche", reason="the figures are compared where avalanche-lib is installed")

from avalanche.benchmarks.scenarios.deprecated.generators import tensors_benchmark
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, ReplayPlugin
from avalanche.training.supervised import Naive
from avalanche.training.utils import ParamData

ROWS, LENGTH, WORDS = 6, 8, 300
SHAPE = AdapterSettings(rank=4, alpha=4, targets="all-linear", momentum=0.9, weight_decay=0.0, bf16=False)
CLOSE = {"rtol": 1e-5, "atol": 1e-8}


class NextToken(nn.Module):
    """The language model as Avalanche sees it: a classifier of prompts by the token that follows."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.module(input_ids=ids, use_cache=False).logits[:, -1]
        return logits


@pytest.fixture
def net(tiny: HuggingFaceModel) -> NextToken:
    return NextToken(copy.deepcopy(tiny.module).requires_grad_(True))


def draw(seed: int) -> tuple[Tensor, Tensor]:
    """(prompts, the token that follows each)"""
    generator = torch.Generator().manual_seed(seed)
    prompts = torch.randint(5, WORDS, (ROWS, LENGTH), generator=generator)
    return prompts, torch.randint(5, WORDS, (ROWS,), generator=generator)


def rows_of(prompts: Tensor, following: Tensor) -> list[Example]:
    pairs = zip(prompts.tolist(), following.tolist(), strict=True)
    return [Example(tuple(prompt), (token,), tuple(prompt), gold=True) for prompt, token in pairs]


def weights(net: NextToken) -> Iterator[tuple[str, str, Tensor]]:
    """(path of an adapted layer, what Avalanche calls its weight, the weight)"""
    layers = linear_layers(net.module)
    named = {id(parameter): name for name, parameter in net.named_parameters()}
    for path, layer in layers.items():
        yield path, named[id(layer.weight)], layer.weight


def importances(net: NextToken, seed: int) -> dict[str, Any]:
    data = TensorDataset(*draw(seed), torch.zeros(ROWS))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    plugin = EWCPlugin(1.0)
    found: dict[str, Any] = plugin.compute_importances(net, nn.CrossEntropyLoss(), optimizer, data, "cpu", 1)
    return found


def test_the_importance_of_weights_is_avalanches(tiny: HuggingFaceModel, net: NextToken) -> None:
    rows = rows_of(*draw(0))
    with tiny.training(TrainingJob(SHAPE, tuple(rows), (), top_k=4, certain=0.5, seed=0)) as adapter:
        ours = adapter.importance(rows)
    theirs = importances(net, 0)
    for path, name, _ in weights(net):
        assert ours[path].max() > 0
        torch.testing.assert_close(ours[path], theirs[name].data, **CLOSE)


def test_the_penalty_is_avalanches_at_half_its_weight(net: NextToken, tmp_path: Path) -> None:
    """Kirkpatrick et al. halve the sum, Avalanche does not."""
    generator = torch.Generator().manual_seed(0)
    plugin = EWCPlugin(0.5, mode="online", decay_factor=1.0)
    plugin.update_importances(importances(net, 0), 0)
    plugin.update_importances(importances(net, 1), 1)
    plugin.saved_params[1] = {
        name: ParamData(name, init_tensor=weight.detach().clone(), device="cpu") for _, name, weight in weights(net)
    }
    update, fisher = {}, {}
    for path, name, weight in weights(net):
        outputs, inputs = weight.shape
        a, b = torch.randn(4, inputs, generator=generator), torch.randn(outputs, 4, generator=generator)
        update[path], fisher[path] = (a, b), plugin.importances[1][name].data.clone()
        weight.data += b @ a
    save_file(fisher, tmp_path / "fisher.safetensors")
    strategy = SimpleNamespace(clock=SimpleNamespace(train_exp_counter=2), device="cpu", model=net, loss=0.0)
    plugin.before_backward(strategy)
    ours = ElasticWeights(tmp_path / "fisher.safetensors", 1.0).loss(update, {})
    assert ours > 0
    assert ours.item() == pytest.approx(strategy.loss.item(), rel=1e-5)


def test_the_loss_of_replayed_and_new_rows_is_avalanches(tiny: HuggingFaceModel, net: NextToken) -> None:
    seen: list[tuple[Tensor, Tensor, float]] = []

    class Watch(SupervisedPlugin):
        def before_backward(self, strategy: Any, **_: Any) -> None:
            seen.append((strategy.mb_x.clone(), strategy.mb_y.clone(), strategy.loss.item()))

    nights = [draw(0), draw(1)]
    stream = tensors_benchmark(nights, nights, task_labels=[0, 0]).train_stream
    learner = Naive(
        model=net,
        optimizer=torch.optim.SGD(net.parameters(), lr=0.0),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=3,
        plugins=[ReplayPlugin(mem_size=ROWS, batch_size_mem=2), Watch()],
        evaluator=EvaluationPlugin(),
    )
    for night in stream:
        learner.train(night)
    mixed = [batch for batch in seen if len(batch[0]) > 3]
    assert mixed, "the second night replays the first one's rows"
    for prompts, following, theirs in mixed:
        rows = rows_of(prompts, following)
        ids, mask, where = collate([(row.prompt, row.completion) for row in rows], tiny.end_id, tiny.device)
        with torch.no_grad(), tiny.adapted(None):
            predicted = predictions(logprobs_at(tiny.module, ids, mask, where), rows, {})
        assert total_loss([CrossEntropy(certain=1.0)], predicted).item() == pytest.approx(theirs, rel=1e-5)
