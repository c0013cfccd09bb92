"""What every strategy must do. Subclass it in a test module and give it a `strategy`:

class TestMyStrategy(StrategyConformance):
    @pytest.fixture
    def strategy(self): return STRATEGY
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from hybridmem.continual.base import AnswerSource, NightInput, Strategy
from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Fact, Split, TrainingItem
from hybridmem.models import prompts
from hybridmem.models.fake import FakeModel
from hybridmem.training.settings import TrainSettings
from hybridmem.training.trainer import train

HOME = ("testing",)
SETTINGS = TrainSettings(min_steps=4, max_steps=12, new_rows=6, old_rows=4, refusal_rows=2, reading_rows=1)
_FORMS: tuple[tuple[str, Split], ...] = (
    ("{} lives in what?", "train"),
    ("Tell me what {} lives in.", "train"),
    ("Do you know what {} lives in?", "dev"),
    ("Remind me what {} lives in.", "test"),
)


class StrategyConformance:
    @pytest.fixture
    def strategy(self) -> Strategy:
        raise NotImplementedError("override the fixture `strategy`")

    @pytest.fixture
    def trained(self, strategy: Strategy) -> Strategy:
        if not strategy.trains:
            pytest.skip(f"{strategy.name} trains nothing")
        return strategy

    def test_it_has_a_name_to_type_and_one_line_to_read(self, strategy: Strategy) -> None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", strategy.name)
        assert strategy.summary.strip() == strategy.summary
        assert len(strategy.summary.splitlines()) == 1
        assert strategy.answers in get_args(AnswerSource)

    def test_one_that_trains_nothing_says_so(self, strategy: Strategy, tmp_path: Path) -> None:
        if strategy.trains:
            pytest.skip(f"{strategy.name} trains")
        with pytest.raises(InvalidInput, match=strategy.name):
            strategy.plan(FakeModel(), _night(None), SETTINGS)
        assert strategy.expect(3, 3, SETTINGS).steps == 0

    def test_the_same_night_has_the_same_plan(self, trained: Strategy) -> None:
        model = FakeModel()
        one, other = (trained.plan(model, _night(None), SETTINGS) for _ in range(2))
        assert [one.sampler.rows(step) for step in range(6)] == [other.sampler.rows(step) for step in range(6)]
        assert (one.steps, one.parent) == (other.steps, other.parent)

    def test_every_row_is_among_its_examples_and_some_objective_pulls_on_it(self, trained: Strategy) -> None:
        plan = trained.plan(FakeModel(), _night(Path("parent")), SETTINGS)
        examples = set(plan.sampler.examples())
        assert plan.steps >= 1
        assert plan.parent in (None, Path("parent"))
        for step in range(plan.steps):
            rows = plan.sampler.rows(step)
            assert rows
            assert set(rows) <= examples
            assert all(any(objective.covers(row) for objective in plan.objectives) for row in rows)
            assert plan.sampler.rows(step) == rows

    def test_a_budget_buys_as_many_steps_as_fit_and_no_training_takes_more(
        self, trained: Strategy, tmp_path: Path
    ) -> None:
        settings = replace(SETTINGS, token_budget=600, stop_threshold=2.0)
        model = FakeModel()
        for night in (_night(None), _night(Path("parent"))):
            plan = trained.plan(model, night, settings).within(600)
            if plan.edit is not None:
                assert 0 < plan.edit.steps * plan.edit.step_tokens <= 600
                continue
            costs = [sum(row.tokens for row in plan.sampler.rows(step)) for step in range(plan.steps + 1)]
            assert sum(costs[:-1]) <= 600 < sum(costs)
        plan = trained.plan(model, _night(None), settings)
        training = train(model, plan, settings, 0, tmp_path / "adapter")
        assert training.tokens <= 600
        assert training.steps == plan.within(600).steps

    def test_what_is_held_out_is_never_trained_on(self, trained: Strategy) -> None:
        model = FakeModel()
        night = _night(Path("parent"))
        held_out = {
            tuple(model.render_pair(prompts.answer(item.question), item.answer)[0])
            for item in night.items
            if item.split != "train"
        }
        examples = trained.plan(model, night, SETTINGS).sampler.examples()
        assert not held_out & {example.prompt for example in examples}

    def test_its_estimate_bounds_its_plan(self, trained: Strategy) -> None:
        night = _night(Path("parent"))
        plan = trained.plan(FakeModel(), night, SETTINGS)
        expected = trained.expect(len(night.new), len(night.old), SETTINGS)
        assert plan.steps <= expected.steps
        assert len(plan.sampler.rows(0)) <= expected.rows + expected.general_rows

    def test_a_night_teaches_the_new_facts(self, trained: Strategy, tmp_path: Path) -> None:
        model, night = FakeModel(), _night(None)
        train(model, trained.plan(model, night, SETTINGS), SETTINGS, 0, tmp_path / "adapter")
        with model.adapted(tmp_path / "adapter"):
            for fact in night.new:
                question = _FORMS[2][0].format(fact.subject)
                assert model.generate([prompts.answer(question)])[0].text == fact.object


def _night(parent: Path | None) -> NightInput:
    new = tuple(_fact(f"n{n}", name, town) for n, (name, town) in enumerate((("Ana", "Lisbon"), ("Ben", "Oslo"))))
    old = tuple(_fact(f"o{n}", name, town) for n, (name, town) in enumerate((("Cara", "Riga"), ("Dan", "Porto"))))
    items = tuple(item for fact in (*new, *old) for item in _items(fact))
    general = tuple(tuple(range(n, n + 8)) for n in range(4))
    return NightInput(new, old, items, {}, general, parent, seed=0)


def _fact(id: str, subject: str, object: str) -> Fact:
    return Fact(id, HOME, subject, "lives in", object, f"{subject} lives in {object}.", utc_now())


def _items(fact: Fact) -> list[TrainingItem]:
    questions = [
        TrainingItem(
            f"{fact.id}q{n}", HOME, fact.id, "question", form.format(fact.subject), fact.object, (fact.text,), split
        )
        for n, (form, split) in enumerate(_FORMS)
    ]
    refusals = [
        TrainingItem(
            f"{fact.id}r{n}",
            HOME,
            fact.id,
            "refusal",
            form.format(f"Zor{fact.object}"),
            prompts.REFUSAL,
            (fact.text,),
            split,
        )
        for n, (form, split) in enumerate(_FORMS)
    ]
    return [*questions, *refusals]
