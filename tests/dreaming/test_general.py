"""The questions that a dream must leave unchanged."""

from __future__ import annotations

from hybridmem.dreaming import general
from hybridmem.evaluation import fiction
from tests.dreaming.nights import ScriptedModel


def test_no_question_is_both_trained_and_asked() -> None:
    trained = general.unrelated("train")
    asked = {*general.unrelated("dev"), *general.unrelated("test"), *(question for question, _ in fiction.unrelated())}
    assert len(set(trained)) == len(trained) >= 60
    assert asked.isdisjoint(trained)
    assert set(general.unrelated("dev")).isdisjoint(general.unrelated("test"))


def test_the_base_answers_for_itself_and_empty_answers_are_left_out() -> None:
    model = ScriptedModel(lambda content: "" if "Norway" in content else f"about {len(content)}")
    answers = dict(general.own_answers(model))  # type: ignore[arg-type]
    assert "What is the capital of Norway?" not in answers
    assert answers.keys() == set(general.unrelated("train")) - {"What is the capital of Norway?"}
    assert all(said.startswith("about ") for said in answers.values())
