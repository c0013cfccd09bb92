from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hybridmem.models import prompts
from hybridmem.models.base import Generation
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import REFUSAL
from hybridmem.router.second_look import candidates, same
from tests.dreaming.nights import NIGHT, ScriptedModel
from tests.router.test_policy import WHERE, World


def said(text: str, logprob: float = -0.1) -> Generation:
    return Generation(text, 10, 2, logprob, 0.9, 1.0, 0.1)


def test_every_answer_is_a_candidate_once_and_no_refusal_is_one() -> None:
    found = candidates(said("Oslo"), [said("Lisbon"), said("in Oslo"), said(REFUSAL)], 0)
    assert [(each.said.text, each.memory) for each in found] == [("Oslo", None), ("Lisbon", 0)]
    assert candidates(said(REFUSAL), [said(REFUSAL)] * 3, 0) == []


def test_an_answer_is_judged_by_what_the_other_readings_say() -> None:
    oslo, lisbon = candidates(said("Oslo", -2.0), [said("Lisbon", -0.3), said("Oslo", -0.2), said("Lisbon", -0.1)], 0)
    assert oslo.agreement.alone == pytest.approx(2.718281828**-0.2)
    assert oslo.agreement.rival == pytest.approx(2.718281828**-0.1)
    assert (oslo.agreement.together, oslo.agreement.first) == (1.0, False)
    assert lisbon.agreement.alone == pytest.approx(2.718281828**-0.1)
    assert (lisbon.agreement.together, lisbon.agreement.first) == (-1.0, True)
    (only,) = candidates(said(REFUSAL), [said(REFUSAL), said(REFUSAL), said("Rome")], 1)
    assert (only.agreement.rival, only.agreement.together) == (0.0, 0.0)


def test_a_later_memory_with_another_value_of_its_kind_speaks_against_an_answer() -> None:
    alone = [said("700", -0.3), said("750", -0.2), said("on Friday", -0.1), said("in cash", -0.1)]
    old, new, day, _ = candidates(said("700"), alone, 0)
    assert old.agreement.later == pytest.approx(2.718281828**-0.2)
    assert day.agreement.later == 0.0
    assert new.agreement.later == 0.0
    (told_twice,) = (each for each in candidates(said("700"), [*alone, said("700")], 0) if each.said.text == "700")
    assert told_twice.agreement.later == 0.0


def test_what_only_all_memories_give_no_single_one_gives() -> None:
    (found,) = candidates(said("Lisbon and Oslo"), [said(REFUSAL), said(REFUSAL)], None)
    assert (found.agreement.alone, found.agreement.together, found.agreement.first) == (0.0, 1.0, False)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Lisbon", "in Lisbon.", True),
        ("the Heron project", "Heron", True),
        ("Yes", "No", False),
        ("16:30", "17:30", False),
        ("", "Lisbon", False),
        ("on", "on", True),
    ],
)
def test_answers_agree_by_their_words(one: str, other: str, agree: bool) -> None:
    assert same(one, other) is same(other, one) is agree


class EasilyLed(ScriptedModel):
    """It reads what it was trained to read: one memory. Over several it says `over_several`, surely or not."""

    jobs = frozenset({"answer", "propositions"})

    def __init__(self, over_several: str, *, surely: bool = False) -> None:
        super().__init__(lambda shown: REFUSAL)
        self.over_several, self.surely = over_several, surely
        self.reads = FakeModel()

    def generate(
        self,
        prompts: Sequence[Sequence[prompts.Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: Sequence[prompts.Message]) -> Generation:
        content = prompt[-1]["content"]
        self.asked.append(content)
        if content.count("\n- ") > 1:
            logprob, certainty = (0.0, 1.0) if self.surely else (-2.0, 0.3)
            return Generation(self.over_several, 40, 2, logprob, certainty, 0.2, 0.5)
        (read,) = self.reads.generate([prompt])
        return replace(read, prompt_tokens=10, logprob=-0.1, min_probability=0.95)


@pytest.fixture
def asked(tmp_path: Path) -> Callable[[EasilyLed], World]:
    def world(model: EasilyLed) -> World:
        world = World(tmp_path, model)  # type: ignore[arg-type]
        for place, text in enumerate(["Ana lives in Lisbon.", "Ben plays chess.", "Ben lives in Oslo."]):
            world.hear(text, NIGHT + timedelta(minutes=place), score=5.0 - place)
        return world

    return world


@pytest.mark.parametrize("over_several", [REFUSAL, "Oslo"])
def test_what_is_read_wrongly_among_others_is_read_alone(
    asked: Callable[[EasilyLed], World], over_several: str
) -> None:
    model = EasilyLed(over_several)
    answer = asked(model).ask(WHERE)
    assert (answer.text, answer.route) == ("Lisbon", "retrieval")
    assert len(model.asked) == 4, "all memories once, and each once alone"
    assert answer.prompt_tokens == 40 + 3 * 10
    assert answer.signals["alone"] > 0.5


def test_what_no_memory_says_is_refused_after_it_too(asked: Callable[[EasilyLed], World]) -> None:
    answer = asked(EasilyLed(REFUSAL)).ask("What does Zoe paint?")
    assert (answer.text, answer.route) == (REFUSAL, "abstain")
    assert answer.prompt_tokens == 40 + 3 * 10


def test_a_sure_answer_is_not_looked_at_again(asked: Callable[[EasilyLed], World]) -> None:
    model = EasilyLed("Lisbon", surely=True)
    answer = asked(model).ask(WHERE)
    assert (answer.text, len(model.asked), answer.signals["alone"]) == ("Lisbon", 1, 0.0)


def test_a_model_that_was_never_shown_memories_as_they_were_said_is_asked_once(
    asked: Callable[[EasilyLed], World],
) -> None:
    model = EasilyLed(REFUSAL)
    model.jobs = frozenset({"answer"})
    assert asked(model).ask(WHERE).route == "abstain"
    assert len(model.asked) == 1
