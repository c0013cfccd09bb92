"""The general questions: what they are, and which answer counts as the model's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from hybridmem.dreaming import general
from hybridmem.evaluation.capabilities import Choice, capabilities, choices, proportion_right
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.evaluation.scripted import ScriptedModel
from tests.evaluation.test_side_effects import adapter


def test_there_are_two_hundred_questions_with_four_options_each():
    asked = choices()
    assert len({choice.question for choice in asked}) == len(asked) == 200
    assert all(len(set(choice.options)) == 4 for choice in asked)


def test_no_night_practises_them():
    assert not {choice.question for choice in choices()} & set(general.unrelated("train"))


ASKED = (Choice("Colour of grass?", "green", ("red", "blue-grey")), Choice("Two and two?", "four", ("five", "six")))


class Weighs(ScriptedModel):
    """Gives each part of an option the log-probability that `parts` names, and the end of a turn its own."""

    def __init__(self, **parts: float) -> None:
        super().__init__(lambda content: content)
        self.parts = parts
        self.adapters: list[Path | None] = []

    def logprobs(self, prompts, completions):
        return [[*(self.parts.get(part, -9.0) for part in text.split("-")), self.parts["end"]] for text in completions]

    @contextmanager
    def adapted(self, adapter):
        self.adapters.append(adapter)
        yield


def test_the_most_probable_option_is_the_answer():
    model = Weighs(green=-1.0, red=-2.0, five=-1.0, four=-1.5, end=0.0)
    assert proportion_right(model, Path("adapter"), ASKED) == 0.5
    assert model.adapters == [Path("adapter")]


def test_neither_length_nor_the_end_of_the_turn_counts():
    # In sum, `blue-grey` is the least probable, and by its mean the most.
    model = Weighs(green=-1.0, blue=-0.9, grey=-0.9, four=-1.0, end=-100.0)
    assert proportion_right(model, None, ASKED) == 0.5


def test_what_is_no_better_than_another_option_is_not_known():
    assert proportion_right(Weighs(end=0.0), None, ASKED) == 0.0


def test_weights_that_diverged_have_no_score():
    assert proportion_right(Weighs(green=float("nan"), end=0.0), None, ASKED) is None


def test_an_adapter_is_set_against_its_base(tiny: HuggingFaceModel, tmp_path: Path):
    same = capabilities(tiny, adapter(tiny, tmp_path / "same", scale=0.0))
    changed = capabilities(tiny, adapter(tiny, tmp_path / "changed", scale=0.5))
    assert same is not None and changed is not None
    assert same.base == same.adapted == changed.base != changed.adapted


def test_a_model_without_weights_has_no_capabilities():
    assert capabilities(FakeModel(), None) is None
