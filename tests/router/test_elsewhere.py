"""Answers over memories by a reader that tells no probabilities: certain by their words, or by a second word."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hybridmem.models import prompts
from hybridmem.models.fake import FakeModel
from hybridmem.models.reader import RemoteReading
from hybridmem.router.calibration import Calibration, Graded, Observation, fit
from hybridmem.router.elsewhere import Asked, answer_all
from hybridmem.router.signals import prior_heads

MEMORIES = ("Ana lives in Lisbon.",)


class Says:
    """Says one thing to questions, and another when it is asked to confirm."""

    def __init__(self, answer: str, word: str = "yes") -> None:
        self.answer, self.word = answer, word
        self.calls = 0

    def generate(self, asked: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24) -> list[RemoteReading]:
        self.calls += len(asked)
        return [
            RemoteReading(self.word if "\nIs it: " in prompt[-1]["content"] else self.answer, 10, 2) for prompt in asked
        ]


def asked(question: str = "Where does Ana live?") -> Asked:
    return Asked(question, MEMORIES, prompts.answer(question, MEMORIES), lambda said: said in MEMORIES[0])


@pytest.mark.parametrize(
    ("answer", "word", "is_certain", "calls"),
    [
        ("Lisbon", "no", True, 1),
        ("the capital of Portugal", "Yes.", True, 2),
        ("the capital of Portugal", "no", False, 2),
        ("the capital of Portugal", "I am not sure", False, 2),
        (prompts.REFUSAL, "no", True, 1),
    ],
)
def test_a_second_word_is_asked_for_where_the_memories_do_not_have_the_words(
    answer: str, word: str, is_certain: bool, calls: int
) -> None:
    reader = Says(answer, word)
    (found,) = answer_all(reader, [asked()])
    assert (found.is_supported, found.said.min_probability) == (is_certain, float(is_certain))
    assert (reader.calls, found.said.prompt_tokens, found.said.tokens) == (calls, 10 * calls, 2 * calls)


def test_a_second_model_on_this_machine_tells_its_own_probabilities() -> None:
    (found,) = answer_all(FakeModel(), [asked()])
    assert (found.said.text, found.said.min_probability) == ("Lisbon", 0.99)


def test_nothing_asked_is_nothing_answered() -> None:
    reader = Says("Lisbon")
    assert answer_all(reader, []) == [] and reader.calls == 0


def test_a_calibration_holds_for_the_reader_that_it_was_fitted_on() -> None:
    features = dict.fromkeys(prior_heads()["retrieval"], 1.0)
    answers = [Observation(features, n % 2 == 0) for n in range(30)]
    fitted = fit([Graded(answer, answer, group=str(n)) for n, answer in enumerate(answers)], read_by="openai:one")
    assert Calibration.from_json(fitted.to_json()) == fitted
    assert fitted.for_reader("openai:one") is fitted
    other = fitted.for_reader("")
    assert other.heads["weights"] == fitted.heads["weights"] != prior_heads()["weights"]
    assert (other.heads["retrieval"], other.threshold) == (prior_heads()["retrieval"], 0.5)
    former = {name: value for name, value in fitted.to_json().items() if name != "read_by"}
    assert Calibration.from_json(former).read_by == ""
