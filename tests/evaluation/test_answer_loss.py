"""The loss on answers: which tokens count, and under which adapter."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from hybridmem.evaluation.answer_loss import AnswerLoss, answer_loss
from tests.evaluation.scripted import ScriptedModel


class Sure(ScriptedModel):
    """Sure of every word by its length; of the end of a turn never."""

    def __init__(self) -> None:
        super().__init__(lambda content: content)
        self.adapters: list[Path | None] = []

    def logprobs(self, prompts, completions):
        self.asked += [prompt[-1]["content"] for prompt in prompts]
        return [[*(-float(len(word)) for word in completion.split()), -100.0] for completion in completions]

    @contextmanager
    def adapted(self, adapter):
        self.adapters.append(adapter)
        yield


def test_all_tokens_of_all_answers_count_alike_and_the_end_of_the_turn_does_not():
    model = Sure()
    found = answer_loss(model, Path("adapter"), ["Who?", "Where?"], ["a bb", "dddddd"])
    assert found == AnswerLoss(median=2.0, mean=3.0)
    assert model.adapters == [Path("adapter")]
    assert len(model.asked) == 2


def test_where_nothing_is_asked_nothing_was_lost():
    model = Sure()
    assert answer_loss(model, None, [], []) is None
    assert model.adapters == []


def test_weights_that_diverged_have_no_loss():
    class Diverged(Sure):
        def logprobs(self, prompts, completions):
            return [[-1.0, float("nan"), -1.0] for _ in completions]

    assert answer_loss(Diverged(), None, ["Who?"], ["a b"]) is None
