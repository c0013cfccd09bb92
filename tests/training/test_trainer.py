from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridmem.continual import registry
from hybridmem.continual.base import NightInput
from hybridmem.continual.objectives import kl_with_tail
from hybridmem.models import prompts
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.teacher import teacher_targets
from hybridmem.models.huggingface.tensors import collate, cross_entropy, logprobs_at
from hybridmem.models.huggingface.training_adapter import known_answers, predictions, total_loss
from hybridmem.models.trainable import Example, TeacherPredictions
from hybridmem.training import trainer as training
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.settings import TrainSettings
from hybridmem.training.trainer import CHECKPOINT, train
from tests.dreaming.nights import QUICK, contents, fact, items_of

FACTS = [fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo"), fact("f3", "Cara", "Riga")]
ITEMS = [items_of(f)[0] for f in FACTS]
GENERAL = [tuple(range(50 + n, 74 + n)) for n in range(4)]
SHORT = replace(QUICK, min_steps=1, max_steps=6)


def night(
    model: HuggingFaceModel,
    settings: TrainSettings = QUICK,
    *,
    distil: bool = True,
    seed: int = 0,
    parent: Path | None = None,
) -> TrainingPlan:
    """Three new facts, as the default strategy or naive fine-tuning trains on them."""
    given = NightInput(tuple(FACTS), (), tuple(ITEMS), {}, tuple(GENERAL), parent, seed)
    return registry.get("replay" if distil else "naive").plan(model, given, settings)


def loss_of(
    logprobs: torch.Tensor,
    rows: list[Example],
    taught: dict[Example, TeacherPredictions],
    settings: TrainSettings,
) -> torch.Tensor:
    """The loss of a whole step, of every objective of the default strategy; of naive fine-tuning without a teacher."""
    parts = registry.get("replay" if taught else "naive")
    objectives = [objective(settings) for objective in parts.objectives]  # type: ignore[attr-defined]
    return total_loss(objectives, predictions(logprobs, rows, taught))


def weights(model: HuggingFaceModel) -> str:
    """A digest of the base's weights, whatever adapters stand beside them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.module.state_dict().items()):
        if "lora" not in name:
            digest.update(name.replace(".base_layer", "").encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def logits(model: HuggingFaceModel) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.module(input_ids=torch.arange(40)[None] + 50).logits
    return found


def adapter_of(folder: Path) -> dict[str, bytes]:
    found = contents(folder)
    assert set(found) == {"adapter_config.json", "adapter_model.safetensors"}
    return found


@pytest.mark.parametrize("distil", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_three_facts_are_learned_by_heart_and_the_base_is_left_alone(
    stories: HuggingFaceModel, folder: Path, distil: bool
) -> None:
    before, bare = weights(stories), logits(stories)
    asked = [prompts.answer(item.question) for item in ITEMS]
    ignorant = [g.text for g in stories.generate(asked)]
    losses: list[tuple[int, int]] = []
    done = train(
        stories,
        night(stories, distil=distil),
        QUICK,
        0,
        folder,
        progress=lambda step, total: losses.append((step, total)),
    )
    assert done.steps == 40
    assert losses == [(step, 40) for step in range(1, 41)]
    assert math.isfinite(done.loss)
    assert (done.teacher_tokens > 0) == distil
    with stories.adapted(folder):
        assert [g.text for g in stories.generate(asked)] == ["Lisbon", "Oslo", "Riga"]
        assert not torch.equal(logits(stories), bare)
    assert [g.text for g in stories.generate(asked)] == ignorant
    assert weights(stories) == before
    assert torch.equal(logits(stories), bare)


def test_a_training_ends_soon_after_all_is_known(stories: HuggingFaceModel, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    settings = replace(QUICK, learning_rate=5e-3, stop_threshold=0.9, max_steps=400, exposures=800)
    done = train(
        stories,
        night(stories, settings),
        settings,
        0,
        folder,
        progress=lambda step, total: told.append((step, total)),
    )
    assert done.steps < 200
    assert told[0] == (1, 400)
    assert told[-1] == (done.steps, done.steps)
    with stories.adapted(folder):
        asked = [prompts.answer(item.question) for item in ITEMS]
        assert [g.text for g in stories.generate(asked)] == ["Lisbon", "Oslo", "Riga"]


def test_only_closed_book_answers_count_as_known(batch: Any) -> None:
    rows, logprobs, _ = batch
    sure = torch.full_like(logprobs, -9.0)
    targets = [token for row in rows for token in row.completion[0 if row.prompt else 1 :]]
    sure[range(len(targets)), targets] = 0.0
    assert known_answers(sure, rows, 0.9) == [True, True]
    sure[0] = -9.0
    assert known_answers(sure, rows, 0.9) == [False, True]
    sure[-1] = -9.0
    assert known_answers(sure, rows, 0.9) == [False, True]


class Stopped(Exception):
    """Somebody pulls the plug."""


@pytest.mark.parametrize(("stop_threshold", "stops"), [(2.0, (1, 4, 6)), (0.0, (2, 5))])
def test_a_training_goes_on_exactly_where_it_was_stopped(
    stories: HuggingFaceModel, tmp_path: Path, stop_threshold: float, stops: tuple[int, ...]
) -> None:
    settings = replace(SHORT, checkpoint_seconds=-1.0, stop_threshold=stop_threshold)

    def run(folder: Path, stop: int | None = None) -> training.Training:
        def progress(step: int, total: int) -> None:
            # Told of a step before its checkpoint is written: the last one is lost, as it would be by a kill.
            if step == stop:
                raise Stopped

        return train(stories, night(stories, settings), settings, 0, folder, progress=progress)

    whole = run(tmp_path / "whole")
    for stop in stops:
        with pytest.raises(Stopped):
            run(tmp_path / str(stop), stop)
        assert (tmp_path / str(stop) / CHECKPOINT).exists() == (stop > 1)
        resumed = run(tmp_path / str(stop))
        assert adapter_of(tmp_path / str(stop)) == adapter_of(tmp_path / "whole")
        assert (resumed.tokens, resumed.loss) == (whole.tokens, whole.loss)


def test_a_training_goes_on_from_its_parent(stories: HuggingFaceModel, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    train(stories, night(stories, SHORT, distil=False), SHORT, 0, first)
    none = replace(SHORT, learning_rate=0.0)
    train(stories, night(stories, none, distil=False, seed=1, parent=first), none, 1, second)
    assert adapter_of(second) == adapter_of(first)


def test_another_seed_trains_another_adapter(stories: HuggingFaceModel, tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        brief = replace(SHORT, max_steps=2)
        train(stories, night(stories, brief, seed=seed), brief, seed, tmp_path / name)
        made.append(adapter_of(tmp_path / name)["adapter_model.safetensors"])
    assert made[0] == made[1] != made[2]


@pytest.fixture
def batch(stories: HuggingFaceModel) -> Iterator[tuple[list[Example], torch.Tensor, dict[Example, TeacherPredictions]]]:
    pools = night(stories).sampler.pools  # type: ignore[attr-defined]
    rows = [pools.new[0][0], pools.new[1][0], pools.general[0]]
    taught, _ = teacher_targets(stories.module, rows, 64, stories.end_id)
    ids, mask, where = collate([(e.prompt, e.completion) for e in rows], stories.end_id, stories.device)
    with torch.no_grad():
        yield rows, logprobs_at(stories.module, ids, mask, where), taught


def test_the_naive_and_the_distilled_loss_are_finite_and_not_negative(batch: Any) -> None:
    rows, logprobs, taught = batch
    naive, distilled = loss_of(logprobs, rows, {}, QUICK), loss_of(logprobs, rows, taught, QUICK)
    assert 0 < naive.item() <= distilled.item() < 100


def test_general_text_costs_nothing_while_the_model_is_the_base(batch: Any) -> None:
    rows, _, taught = batch
    general = rows[2:]
    own = torch.full((len(general[0].completion) - 1, 512), -30.0)
    own.scatter_(1, taught[general[0]].tokens, taught[general[0]].logprobs)
    assert loss_of(own, general, taught, QUICK).item() == pytest.approx(0, abs=1e-4)


def test_a_teaching_has_a_row_for_each_predicted_token(batch: Any) -> None:
    rows, logprobs, taught = batch
    assert [len(taught[row].tokens) for row in rows] == [len(rows[0].completion), len(rows[1].completion), 23]
    assert sum(len(taught[row].agrees) for row in rows) == len(logprobs)


def test_the_teacher_is_the_base_with_the_memory_in_its_context(stories: HuggingFaceModel, batch: Any) -> None:
    rows, _, taught = batch
    item = ITEMS[0]
    alone = stories.logprobs([prompts.answer(item.question, item.context)], [item.answer])[0]
    teaching = taught[rows[0]]
    for number, token in enumerate(rows[0].completion):
        place = (teaching.tokens[number] == token).nonzero()
        if len(place):
            assert teaching.logprobs[number, place[0, 0]].item() == pytest.approx(alone[number], abs=1e-4)
    assert any(len((teaching.tokens[n] == t).nonzero()) for n, t in enumerate(rows[0].completion))


def peaked(targets: list[int], probability: float, vocabulary: int = 10) -> torch.Tensor:
    rest = math.log((1 - probability) / (vocabulary - 1))
    table = torch.full((len(targets), vocabulary), rest)
    table[range(len(targets)), targets] = math.log(probability)
    return table.requires_grad_()


@pytest.mark.parametrize(("probability", "trained"), [(0.89, True), (0.91, False)])
def test_answer_tokens_that_are_certain_are_left_alone(probability: float, trained: bool) -> None:
    example = Example((1, 2), (3, 4), (1, 2), gold=True)
    logprobs = peaked([3, 4], probability)
    loss = loss_of(logprobs, [example], {}, TrainSettings(certain=0.9))
    loss.backward()
    assert logprobs.grad is not None
    assert bool(logprobs.grad.abs().sum() > 0) == trained
    assert loss.item() == pytest.approx(-math.log(probability) if trained else 0.0, abs=1e-6)


def test_text_that_is_only_preserved_gets_no_cross_entropy() -> None:
    example = Example((), (1, 2, 3), (), gold=False)
    assert loss_of(peaked([2, 3], 0.1), [example], {}, TrainSettings()).item() == 0.0


def taught_to(distribution: torch.Tensor, targets: list[int], k: int) -> TeacherPredictions:
    logprobs, tokens = distribution.topk(k)
    return TeacherPredictions(tokens, logprobs, tokens[:, 0] == torch.tensor(targets))


def test_the_divergence_of_equal_distributions_is_zero_and_of_others_is_not() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(5, 40).log_softmax(-1), torch.randn(5, 40).log_softmax(-1)
    for k in (3, 40):
        top, tokens = one.topk(k)
        assert kl_with_tail(top, one.gather(1, tokens)).abs().max() < 1e-5
        assert kl_with_tail(top, other.gather(1, tokens)).min() > 0
    exact = (one.exp() * (one - other)).sum(-1)
    top, tokens = one.topk(40)
    assert torch.allclose(kl_with_tail(top, other.gather(1, tokens)), exact, atol=1e-4)


def test_a_teacher_that_is_wrong_is_not_distilled() -> None:
    torch.manual_seed(0)
    teacher, student = peaked([5, 4], 0.8), peaked([3, 4], 0.95)
    example = Example((1,), (3, 4), (1,), gold=True)
    settings = TrainSettings(certain=0.9, distill_weight=1.0)
    divergence = kl_with_tail(teacher.topk(10).values, student.gather(1, teacher.topk(10).indices))
    loss = loss_of(student, [example], {example: taught_to(teacher, [3, 4], 10)}, settings)
    assert loss.item() == pytest.approx(divergence[1].item() / 2, abs=1e-6)


def test_padding_and_company_change_no_logprobs(stories: HuggingFaceModel) -> None:
    rows = [(tuple(range(60, 70)), (71, 72)), ((), tuple(range(80, 105))), ((90,), (91,))]

    def read(some: list[Any]) -> torch.Tensor:
        with torch.no_grad():
            return logprobs_at(stories.module, *collate(some, stories.end_id, stories.device))

    together, alone = read(rows), torch.cat([read([row]) for row in rows])
    assert together.shape == (2 + 24 + 1, 512)
    assert torch.allclose(together, alone, atol=1e-4)


def test_cross_entropy_is_of_every_token_but_the_first(stories: HuggingFaceModel) -> None:
    rows = [tuple(range(60 + n, 80 + n)) for n in range(10)]
    with torch.no_grad():
        own = torch.log_softmax(stories.module(input_ids=torch.tensor(rows)).logits[:, :-1], -1)
    exact = -own.gather(2, torch.tensor(rows)[:, 1:, None]).mean().item()
    assert cross_entropy(stories, rows) == pytest.approx(exact, abs=1e-4)
    assert cross_entropy(stories, []) == 0.0
