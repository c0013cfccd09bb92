"""What every model that a dream can train must do. Subclass it in a test module and give it a `model`:

class TestMyModel(TrainableModelConformance):
    @pytest.fixture
    def model(self): return MyModel()
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.continual.objectives import CrossEntropy, Distillation, KlToBase
from hybridmem.core.errors import AdapterError
from hybridmem.models import prompts
from hybridmem.models.trainable import (
    AdapterSettings,
    Combination,
    Example,
    Objective,
    TrainableModel,
    TrainingAdapter,
    TrainingJob,
    WeightEdit,
)

ANSWERS = {
    "Where does Ana live?": "Lisbon",
    "Where does Ben live?": "Oslo",
    "Where does Cara live?": "Riga",
}
ADAPTER = AdapterSettings(rank=8, alpha=16, targets="all-linear", momentum=0.9, weight_decay=0.0, bf16=False)
WITH_TEACHER: tuple[Objective, ...] = (CrossEntropy(0.9), Distillation(0.5), KlToBase(1.0))
TEXT = "The lamp stood by the window, and nobody had lit it for years. " * 8


class TrainableModelConformance:
    """`steps` and `learning_rate` are what it takes `model` to learn three answers by heart."""

    steps = 60
    learning_rate = 0.02

    @pytest.fixture
    def model(self) -> TrainableModel:
        raise NotImplementedError("override the fixture `model`")

    @pytest.fixture(scope="class")
    def shared(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder for what is trained once for all tests of the class."""
        return tmp_path_factory.mktemp("trainable")

    @pytest.fixture
    def learned(self, model: TrainableModel, shared: Path, tmp_path: Path) -> Path:
        """The folder of an adapter that knows every answer by heart, of the test's own."""
        trained = shared / "adapter"
        if not trained.exists():
            with model.training(_job(model)) as adapter:
                self._learn(adapter, _examples(model))
                adapter.save(trained)
        return Path(shutil.copytree(trained, tmp_path / "learned"))

    # ---- rows

    def test_a_row_is_a_prompt_and_an_answer_that_ends(self, model: TrainableModel) -> None:
        prompt, answer = model.render_pair(prompts.answer("Where does Ana live?"), "Lisbon")
        again, other = model.render_pair(prompts.answer("Where does Ana live?"), "Riga")
        assert prompt == again != []
        assert answer != other
        assert answer[-1] == other[-1], "both end the turn with the same token"
        assert model.render_pair(prompts.answer("Where does Ana live?", ["Ana moved."]), "Lisbon")[0] != prompt

    def test_text_is_encoded_the_same_each_time(self, model: TrainableModel) -> None:
        assert model.encode_text(TEXT) == model.encode_text(TEXT)
        assert len(model.encode_text(TEXT)) > len(model.encode_text(TEXT[:20])) > 0

    def test_text_costs_nats_and_no_text_none(self, model: TrainableModel) -> None:
        rows = [tuple(model.encode_text(TEXT)[:16])]
        assert model.cross_entropy(rows) > 0
        assert model.cross_entropy(rows) == model.cross_entropy(rows)
        assert model.cross_entropy([]) == 0.0

    # ---- training

    def test_it_learns_answers_by_heart_and_the_base_stays_as_it_was(
        self, model: TrainableModel, tmp_path: Path
    ) -> None:
        before, nats = _said(model), model.cross_entropy(_text(model))
        with model.training(_job(model)) as adapter:
            known = self._learn(adapter, _examples(model))
            adapter.save(tmp_path / "adapter")
        assert known[0] < known[-1] == 1.0
        with model.adapted(tmp_path / "adapter"):
            assert _said(model) == list(ANSWERS.values())
        assert _said(model) == before != list(ANSWERS.values())
        assert model.cross_entropy(_text(model)) == nats

    def test_a_step_tells_what_it_cost(self, model: TrainableModel) -> None:
        rows = [*_examples(model), Example((), _text(model)[0], (), gold=False)]
        with model.training(_job(model, rows, WITH_TEACHER)) as adapter:
            done = adapter.step(rows, self.learning_rate)
            assert adapter.step(rows[-1:], self.learning_rate).known == 1.0
        assert done.tokens == sum(len(row.prompt) + len(row.completion) for row in rows)
        assert 0.0 <= done.known <= 1.0
        assert done.loss >= 0.0

    @pytest.mark.parametrize("objectives", [(CrossEntropy(0.9),), WITH_TEACHER])
    def test_the_teacher_reads_only_where_an_objective_needs_it(
        self, model: TrainableModel, objectives: tuple[Objective, ...]
    ) -> None:
        with model.training(_job(model, objectives=objectives)) as adapter:
            assert (adapter.teacher_tokens > 0) == (len(objectives) > 1)

    def test_it_goes_on_from_a_parent(self, model: TrainableModel, learned: Path, tmp_path: Path) -> None:
        with model.training(replace(_job(model), parent=learned, seed=1)) as adapter:
            adapter.step(_examples(model), 0.0)
            adapter.save(tmp_path / "child")
        with model.adapted(tmp_path / "child"):
            assert _said(model) == list(ANSWERS.values())

    def test_it_goes_on_exactly_where_a_checkpoint_was_written(self, model: TrainableModel, tmp_path: Path) -> None:
        rows, checkpoint = _examples(model), tmp_path / "training.safetensors"
        with model.training(_job(model)) as adapter:
            self._learn(adapter, rows, steps=2)
            adapter.save_checkpoint(checkpoint, {"step": "2"})
            self._learn(adapter, rows, steps=2)
            adapter.save(tmp_path / "whole")
        with model.training(_job(model)) as adapter:
            assert adapter.load_checkpoint(checkpoint) == {"step": "2"}
            self._learn(adapter, rows, steps=2)
            adapter.save(tmp_path / "resumed")
        assert _files(tmp_path / "resumed") == _files(tmp_path / "whole") != {}

    def test_what_lies_beneath_stays_in_force_and_as_it_is(
        self, model: TrainableModel, learned: Path, tmp_path: Path
    ) -> None:
        files = _files(learned)
        with model.training(replace(_job(model), beneath=learned, seed=1)) as adapter:
            assert adapter.step(_examples(model), 0.0).known == 1.0
            adapter.step(_examples(model), self.learning_rate)
            adapter.save(tmp_path / "upper")
        assert _files(learned) == files
        with model.adapted(learned):
            assert _said(model) == list(ANSWERS.values())

    def test_a_parent_is_refitted_to_another_rank_only_where_that_is_asked_for(
        self, model: TrainableModel, learned: Path
    ) -> None:
        larger = replace(_job(model), parent=learned, adapter=replace(ADAPTER, rank=2 * ADAPTER.rank))
        with model.training(replace(larger, refit_parent=True)) as adapter:
            assert adapter.step(_examples(model), 0.0).known == 1.0

    # ---- edits

    def test_an_edit_makes_its_answers_likelier_and_the_base_stays_as_it_was(
        self, model: TrainableModel, tmp_path: Path
    ) -> None:
        rows, before = _examples(model), _said(model)
        first = WeightEdit(tuple((row,) for row in rows[:2]), tuple(_text(model)), None, 25)
        done = model.edit(first, tmp_path / "first")
        assert 0.0 <= done.known <= 1.0
        assert done.tokens > 0
        model.edit(replace(first, facts=((rows[2],),), parent=tmp_path / "first"), tmp_path / "both")
        bare, both = model.recall(rows, None), model.recall(rows, tmp_path / "both")
        assert sum(known.loss for known in both) < sum(known.loss for known in bare)
        assert _said(model) == before

    # ---- what is known, and adapters made of others

    def test_what_was_learned_is_recalled_with_a_lead(self, model: TrainableModel, learned: Path) -> None:
        rows = _examples(model)
        bare, taught = model.recall(rows, None), model.recall(rows, learned)
        assert len(bare) == len(taught) == len(rows)
        assert all(known.loss < unknown.loss for known, unknown in zip(taught, bare, strict=True))
        assert all(known.margin > 0 for known in taught)
        assert all(known.margin > unknown.margin for known, unknown in zip(taught, bare, strict=True))
        assert model.recall([], learned) == []

    @pytest.mark.parametrize("how", ["cat", "svd"])
    def test_an_adapter_summed_with_one_that_adds_nothing_is_itself(
        self, model: TrainableModel, how: Combination, learned: Path, tmp_path: Path
    ) -> None:
        nothing = tmp_path / "nothing"
        with model.training(_job(model)) as adapter:
            adapter.save(nothing)
        model.combine([nothing, learned], how, tmp_path / "both", rank=ADAPTER.rank, seed=0)
        with model.adapted(tmp_path / "both"):
            assert _said(model) == list(ANSWERS.values())

    @pytest.mark.parametrize("how", ["ties", "dare"])
    def test_the_same_seed_merges_to_the_same_files(
        self, model: TrainableModel, how: Combination, learned: Path, tmp_path: Path
    ) -> None:
        for name in ("one", "other"):
            model.combine([learned, learned], how, tmp_path / name, rank=ADAPTER.rank, seed=3)
        assert _files(tmp_path / "one") == _files(tmp_path / "other") != {}

    def test_a_training_that_fails_leaves_the_model_as_it_was(self, model: TrainableModel) -> None:
        before = _said(model)
        with pytest.raises(KeyError), model.training(_job(model)) as adapter:
            adapter.step(_examples(model), self.learning_rate)
            raise KeyError
        assert _said(model) == before
        with model.training(_job(model)) as adapter:
            adapter.step(_examples(model), self.learning_rate)

    def test_one_adapter_is_in_training_at_a_time(self, model: TrainableModel) -> None:
        with model.training(_job(model)), pytest.raises(AdapterError) as caught, model.training(_job(model)):
            pass
        assert "\n" not in str(caught.value)

    # ---- adapters

    def test_an_adapter_can_be_scaled_and_forgotten(self, model: TrainableModel, learned: Path, tmp_path: Path) -> None:
        before = _said(model)
        for scale, expected in ((1.0, list(ANSWERS.values())), (0.0, before)):
            model.scale_adapter(learned, scale, tmp_path / f"x{scale}")
            with model.adapted(tmp_path / f"x{scale}"):
                assert _said(model) == expected
        model.forget(learned)
        with model.adapted(learned):
            assert _said(model) == list(ANSWERS.values())

    def _learn(self, adapter: TrainingAdapter, rows: Sequence[Example], steps: int | None = None) -> list[float]:
        """The share of known answers at each step, at a rate that falls to zero."""
        total = self.steps if steps is None else steps
        return [adapter.step(rows, self.learning_rate * (1 - step / total)).known for step in range(total)]


def _examples(model: TrainableModel) -> list[Example]:
    rows = []
    for question, answer in ANSWERS.items():
        prompt, completion = model.render_pair(prompts.answer(question), answer)
        taught, _ = model.render_pair(prompts.answer(question, [f"The answer is {answer}."]), answer)
        rows.append(Example(tuple(prompt), tuple(completion), tuple(taught), gold=True))
    return rows


def _job(
    model: TrainableModel, rows: Sequence[Example] = (), objectives: tuple[Objective, ...] = (CrossEntropy(0.9),)
) -> TrainingJob:
    return TrainingJob(ADAPTER, tuple(rows) or tuple(_examples(model)), objectives, top_k=16, certain=0.5, seed=0)


def _said(model: TrainableModel) -> list[str]:
    return [done.text for done in model.generate([prompts.answer(question) for question in ANSWERS], max_new_tokens=6)]


def _text(model: TrainableModel) -> list[tuple[int, ...]]:
    return [tuple(model.encode_text(TEXT)[:24])]


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
