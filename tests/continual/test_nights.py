"""Two nights of each strategy that does more than choose rows, on a small random model that learns by heart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hybridmem.continual import registry
from hybridmem.continual.base import NightInput
from hybridmem.continual.keepsakes import DarkKnowledge, Fisher, read_predictions, row_key
from hybridmem.continual.objectives import StoredPredictions
from hybridmem.continual.penalties import ElasticWeights, OrthogonalInputs
from hybridmem.continual.strategies import ewc, o_lora
from hybridmem.continual.strategies.complementary import EVERY
from hybridmem.core.records import Fact
from hybridmem.models import prompts
from hybridmem.models.huggingface.adapter_files import read_update
from hybridmem.models.huggingface.lora import linear_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.tensors import collate, logprobs_at
from hybridmem.models.trainable import AdapterSettings, Example, Predictions, TrainingJob
from hybridmem.training.settings import TrainSettings
from hybridmem.training.trainer import train
from tests.dreaming.nights import QUICK, fact, items_of

FIRST = (fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo"))
SECOND = (fact("f3", "Cara", "Riga"),)
SETTINGS = replace(QUICK, min_steps=3, max_steps=4, rank=4, alpha=4)
GENERAL = tuple(tuple(range(50 + n, 74 + n)) for n in range(4))


def given(new: tuple[Fact, ...], old: tuple[Fact, ...] = (), parent: Path | None = None, number: int = 1) -> NightInput:
    items = tuple(items_of(each)[0] for each in (*new, *old))
    return NightInput(new, old, items, {}, GENERAL, parent, 0, number)


def lived(
    model: HuggingFaceModel, name: str, folder: Path, *, second: int = 2, settings: TrainSettings = SETTINGS
) -> tuple[Path, Path]:
    """The adapters of a first night and of a `second` one, as it is numbered."""
    strategy = registry.get(name)
    one, two = folder / "one", folder / "two"
    train(model, strategy.plan(model, given(FIRST), settings), settings, 0, one)
    train(model, strategy.plan(model, given(SECOND, FIRST, one, second), settings), settings, 0, two)
    return one, two


def rank_of(folder: Path, model: HuggingFaceModel) -> int:
    return len(next(iter(read_update(folder, model.module).values()))[0])


def rows_of(model: HuggingFaceModel) -> list[Example]:
    rows = []
    for each in FIRST:
        prompt, completion = model.render_pair(prompts.answer(items_of(each)[0].question), each.object)
        rows.append(Example(tuple(prompt), tuple(completion), (), gold=True))
    return rows


def job(model: HuggingFaceModel) -> TrainingJob:
    shape = AdapterSettings(rank=4, alpha=4, targets="all-linear", momentum=0.9, weight_decay=0.0, bf16=False)
    return TrainingJob(shape, tuple(rows_of(model)), (), top_k=4, certain=0.5, seed=0)


# ---- elastic weight consolidation


def test_importance_is_the_mean_squared_gradient_of_each_answer(tiny: HuggingFaceModel) -> None:
    rows = rows_of(tiny)
    with tiny.training(job(tiny)) as adapter:
        found = adapter.importance(rows)
    path = next(path for path in found if path.endswith("q_proj"))
    weight = tiny.module.get_submodule(path).get_base_layer().weight
    weight.requires_grad_(True)
    expected = torch.zeros_like(weight)
    for row in rows:
        ids, mask, where = collate([(row.prompt, row.completion)], tiny.end_id, tiny.device)
        with tiny.adapted(None):
            logprobs = logprobs_at(tiny.module, ids, mask, where)
            (gradient,) = torch.autograd.grad(
                logprobs[range(len(row.completion)), list(row.completion)].sum(), [weight]
            )
        expected += gradient.square() / len(rows)
    weight.requires_grad_(False)
    assert expected.abs().max() > 0
    torch.testing.assert_close(found[path], expected, rtol=1e-4, atol=1e-9)
    assert not any(parameter.requires_grad for parameter in tiny.module.parameters())


def test_moving_a_weight_costs_half_its_importance_times_the_square(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    fisher = {"x": draw(5, 6).abs(), "y": draw(3, 4).abs()}
    save_file(fisher, tmp_path / "fisher.safetensors")
    update = {"x": (draw(2, 6), draw(5, 2)), "y": (draw(2, 4), draw(3, 2)), "unmeasured": (draw(2, 2), draw(2, 2))}
    before = {"x": (draw(2, 6), draw(5, 2))}
    penalty = ElasticWeights(tmp_path / "fisher.safetensors", 1.0)
    expected = 0.0
    for path, importance in fisher.items():
        a, b = update[path]
        moved = b @ a - (before[path][1] @ before[path][0] if path in before else 0.0)
        expected += float((importance * moved**2).sum()) / 2
    assert float(penalty.loss(update, before)) == pytest.approx(expected, rel=1e-5)
    assert float(penalty.loss({"x": before["x"]}, before)) == 0.0


def test_ewc_sums_the_importance_of_all_nights(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    one, two = lived(tiny, "ewc", tmp_path)
    first, both = (load_file(folder / Fisher.FILE) for folder in (one, two))
    assert first.keys() == both.keys() == read_update(one, tiny.module).keys()
    assert all(torch.all(both[path] >= first[path]) for path in first)
    assert any(torch.any(both[path] > first[path]) for path in first)


def test_the_more_ewc_charges_the_less_the_weights_move(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    def moved(strength: float) -> float:
        settings = replace(SETTINGS, penalty_weight=strength)
        one, two = (
            read_update(each, tiny.module) for each in lived(tiny, "ewc", tmp_path / f"{strength}", settings=settings)
        )
        fisher = load_file(tmp_path / f"{strength}" / "one" / Fisher.FILE)
        return sum(
            float((fisher[path].float() * (two[path][1] @ two[path][0] - b @ a).square()).sum())
            for path, (a, b) in one.items()
        )

    assert moved(1e9) < moved(0.0)


# ---- adapters above adapters


@pytest.mark.parametrize(("name", "own"), [("ewc", ewc.WEIGHT), ("o-lora", o_lora.WEIGHT)])
def test_a_recipe_scales_what_a_strategy_charges(tiny: HuggingFaceModel, name: str, own: float, tmp_path: Path) -> None:
    one, _ = lived(tiny, name, tmp_path)
    settings = replace(SETTINGS, penalty_weight=3.0)
    [penalty] = registry.get(name).plan(tiny, given(SECOND, FIRST, one), settings).penalties
    assert penalty.weight == 3.0 * own


def test_o_lora_is_charged_for_what_it_reads_in_earlier_directions() -> None:
    before = {"x": (torch.eye(4)[:2], torch.ones(3, 2))}
    aside, along = torch.eye(4)[2:] * 3, torch.eye(4)[:2] * -3
    penalty = OrthogonalInputs(1.0)
    assert float(penalty.loss({"x": (aside, torch.ones(3, 2))}, before)) == 0.0
    assert float(penalty.loss({"x": (along, torch.ones(3, 2))}, before)) == 6.0


@pytest.mark.parametrize("name", ["o-lora", "complementary"])
def test_a_night_above_the_earlier_ones_keeps_their_weights(tiny: HuggingFaceModel, name: str, tmp_path: Path) -> None:
    one, two = lived(tiny, name, tmp_path)
    rank = rank_of(one, tiny)
    assert (rank, rank_of(two, tiny)) == (SETTINGS.rank, 2 * SETTINGS.rank)
    below, above = read_update(one, tiny.module), read_update(two, tiny.module)
    for path, (a, b) in below.items():
        torch.testing.assert_close(above[path][1][:, :rank] @ above[path][0][:rank], b @ a, rtol=1e-4, atol=1e-6)


def test_every_few_nights_all_is_cut_to_one_rank_again(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    _, two = lived(tiny, "complementary", tmp_path / "fast")
    strategy, three = registry.get("complementary"), tmp_path / "slow"
    plan = strategy.plan(tiny, given(SECOND, FIRST, two, EVERY), SETTINGS)
    assert plan.refit_parent and plan.beneath is None
    train(tiny, plan, SETTINGS, 0, three)
    assert rank_of(three, tiny) == SETTINGS.rank


@pytest.mark.parametrize("name", ["merged-svd", "merged-ties", "merged-dare"])
def test_merged_nights_are_one_adapter_of_the_recipes_rank(tiny: HuggingFaceModel, name: str, tmp_path: Path) -> None:
    one, two = lived(tiny, name, tmp_path)
    assert rank_of(one, tiny) == rank_of(two, tiny) == SETTINGS.rank
    assert sorted(file.name for file in two.iterdir()) == sorted(file.name for file in one.iterdir())
    alone = tmp_path / "alone"
    plan = registry.get(name).plan(tiny, given(SECOND), SETTINGS)
    train(tiny, plan, SETTINGS, 0, alone)
    merged, first, second = (read_update(folder, tiny.module) for folder in (two, one, alone))
    for path, (a, b) in merged.items():
        total = sum(update[path][1] @ update[path][0] for update in (first, second))
        assert not torch.equal(b @ a, second[path][1] @ second[path][0])
        if name == "merged-svd":
            rest = torch.linalg.svdvals(total)[SETTINGS.rank :].norm()
            torch.testing.assert_close((b @ a - total).norm(), rest, rtol=1e-2, atol=1e-4)


# ---- updates that no rank bounds


@pytest.mark.parametrize("name", ["full", "osf"])
def test_nights_of_full_rank_go_on_from_each_other(tiny: HuggingFaceModel, name: str, tmp_path: Path) -> None:
    one, two = (read_update(folder, tiny.module) for folder in lived(tiny, name, tmp_path))
    layers = linear_layers(tiny.module)
    for path, (a, b) in two.items():
        smaller = min(layers[path].weight.shape)
        assert len(a) == smaller > SETTINGS.rank
        first, both = one[path][1] @ one[path][0], b @ a
        kept = smaller // 2 if name == "osf" else 0
        assert SETTINGS.rank < torch.linalg.matrix_rank(both - first, rtol=1e-4) <= smaller - kept


# ---- edits in closed form


def test_an_edit_keeps_what_the_nights_before_wrote(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    one, two = lived(tiny, "weight-edit", tmp_path)
    below, above = read_update(one, tiny.module), read_update(two, tiny.module)
    assert below.keys() == above.keys() < linear_layers(tiny.module).keys()
    for path, (a, b) in above.items():
        assert len(a) <= len(FIRST) + len(SECOND), "one key a question, and one question a fact"
        assert torch.linalg.matrix_rank(b @ a - below[path][1] @ below[path][0], rtol=1e-4) <= len(SECOND)


# ---- dark experience replay


def test_what_was_predicted_when_it_was_learned_is_kept_as_it_was(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    one, two = lived(tiny, "der", tmp_path)
    first, both = read_predictions(one), read_predictions(two)
    assert len(first) == len(FIRST) and len(both) == len(FIRST) + len(SECOND)
    for key, kept in first.items():
        assert all(torch.equal(a, b) for a, b in zip(kept, both[key], strict=True))


def test_nothing_is_kept_of_a_fact_that_no_longer_stands(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    strategy, one, two = registry.get("der"), tmp_path / "one", tmp_path / "two"
    train(tiny, strategy.plan(tiny, given(FIRST), SETTINGS), SETTINGS, 0, one)
    train(tiny, strategy.plan(tiny, given(SECOND, FIRST[:1], one), SETTINGS), SETTINGS, 0, two)
    kept = read_predictions(two)
    assert [row_key(row) in kept for row in rows_of(tiny)] == [True, False]


def test_stored_predictions_cost_their_squared_difference(tmp_path: Path) -> None:
    rows = (Example((1,), (2, 3), (), gold=True), Example((1,), (4,), (), gold=True))
    tokens, wanted = torch.tensor([[0, 2], [1, 3]]), torch.tensor([[-1.0, -2.0], [-0.5, -3.0]])
    key = row_key(rows[0])
    save_file({f"{key}|0": tokens, f"{key}|1": wanted}, tmp_path / DarkKnowledge.FILE)
    logprobs = torch.log_softmax(torch.arange(18.0).reshape(3, 6).sin(), dim=-1)
    predicted = Predictions(logprobs, torch.tensor([2, 3, 4]), torch.ones(3, dtype=torch.bool), 3, 1, rows)
    expected = (logprobs[:2].gather(1, tokens) - wanted).square().mean(dim=1).sum() / 3
    torch.testing.assert_close(StoredPredictions(tmp_path, 1.0).loss(predicted), expected)
    assert float(StoredPredictions(None, 1.0).loss(predicted)) == 0.0


# ---- replay by what is known


@pytest.mark.parametrize("name", ["replay-loss", "replay-margin"])
def test_what_is_known_worst_is_drawn_most(tiny: HuggingFaceModel, name: str) -> None:
    from hybridmem.models.trainable import Recall

    known = {"Ana": Recall(0.01, 6.0), "Ben": Recall(2.0, 0.5)}

    def recall(rows: object) -> list[Recall]:
        assert isinstance(rows, list)
        shown = [tiny.tokenizer.decode(row.prompt) for row in rows]
        return [next(value for subject, value in known.items() if subject in text) for text in shown]

    night = replace(given(SECOND, FIRST, Path("parent")), recall=recall)
    plan = registry.get(name).plan(tiny, night, SETTINGS)
    well, badly = plan.sampler.pools.old_weights  # type: ignore[attr-defined]
    assert 0 < well < badly
