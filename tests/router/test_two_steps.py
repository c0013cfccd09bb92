"""Questions whose answer takes two memories, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import REFUSAL
from hybridmem.router import policy
from tests.dreaming.nights import fact
from tests.router.test_policy import World

ASKED = "Where does the person who looks after the Tavrin server live?"
CARES = fact("f1", "The Tavrin server", "Mira Sodo", "is looked after by")
LIVES = fact("f2", "Mira Sodo", "Riga")
FIRST, SECOND = "Who looks after the Tavrin server?", "Where does Mira Sodo live?"


class Answering(FakeModel):
    """Gives these answers to whatever is read, and refuses everything else."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[str] = []

    def _completed(self, content: str, form: int = 0) -> str:
        question = content.rpartition("Question: ")[2]
        self.asked.append(question)
        return self.answers.get(question, REFUSAL)


def world_of(folder: Path, **answers: str) -> tuple[World, Answering]:
    model = Answering(answers)
    world = World(folder, model)
    world.know(CARES, LIVES)
    return world, model


def test_what_the_first_step_says_is_asked_of_in_the_second(tmp_path: Path) -> None:
    world, _model = world_of(tmp_path, **{FIRST: "Mira Sodo", SECOND: "Riga"})
    told = world.ask(ASKED)
    one, other = world.ask(FIRST), world.ask(SECOND)
    assert (told.text, told.route) == ("Riga", "retrieval")
    assert told.confidence == pytest.approx(one.confidence * other.confidence)
    assert {hit.id for hit in told.evidence} == {"f1", "f2"}
    assert told.prompt_tokens > one.prompt_tokens + other.prompt_tokens
    said = world.router.explain(ASKED)
    assert (said.answer.text, said.answer.confidence) == (told.text, told.confidence)
    assert FIRST in said.why and "“Mira Sodo”" in said.why and SECOND in said.why


def test_one_half_may_be_in_the_weights(tmp_path: Path) -> None:
    world, _model = world_of(tmp_path, **{FIRST: "Mira Sodo", SECOND: "Riga"})
    world.dream({SECOND: "Riga"}, LIVES)
    told = world.ask(ASKED)
    assert (told.text, told.route, told.adapter) == ("Riga", "both", "v0001")


def test_the_person_is_no_answer_to_what_is_asked_of_them(tmp_path: Path) -> None:
    """Read together, the memories give whom the question describes: that is half of the way."""
    world, _ = world_of(tmp_path, **{ASKED: "Mira Sodo", FIRST: "Mira Sodo", SECOND: "Riga"})
    assert world.ask(ASKED).text == "Riga"
    world, _ = world_of(tmp_path / "other", **{ASKED: "Mira Sodo", FIRST: "Mira Sodo"})
    assert world.ask(ASKED).route == "abstain"


def test_an_answer_that_one_memory_gives_stands(tmp_path: Path) -> None:
    world, model = world_of(tmp_path, **{ASKED: "Oslo", FIRST: "Mira Sodo", SECOND: "Riga"})
    assert world.ask(ASKED).text == "Oslo"
    assert FIRST not in model.asked
    world, model = world_of(tmp_path / "other", **{"Where does my boss live?": "Riga", "Who is my boss?": "Riga"})
    world.know(fact("f3", "My boss", "Riga"))
    assert world.ask("Where does my boss live?").text == "Riga"
    assert "Who is my boss?" not in model.asked, "the memory says where"


def test_nothing_is_asked_of_somebody_who_is_not_known(tmp_path: Path) -> None:
    world, model = world_of(tmp_path, **{SECOND: "Riga"})
    assert world.ask(ASKED).route == "abstain"
    assert SECOND not in model.asked


def test_two_likely_steps_may_be_too_unlikely_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = world_of(tmp_path, **{FIRST: "Mira Sodo", SECOND: "Riga"})
    both = world.ask(ASKED).confidence
    between = (both + min(world.ask(FIRST).confidence, world.ask(SECOND).confidence)) / 2
    limits = policy.Router._limits
    monkeypatch.setattr(
        policy.Router, "_limits", lambda self, stored: policy.replace(limits(self, stored), threshold=between)
    )
    assert world.ask(FIRST).route == world.ask(SECOND).route == "retrieval"
    told = world.ask(ASKED)
    assert (told.text, told.route) == (REFUSAL, "abstain")
    assert told.confidence == pytest.approx(1 - both)


def test_a_forced_route_takes_one_step(tmp_path: Path) -> None:
    world, model = world_of(tmp_path, **{FIRST: "Mira Sodo", SECOND: "Riga"})
    assert world.ask(ASKED, "retrieval").text == REFUSAL
    assert FIRST not in model.asked


def test_in_a_batch_each_question_has_its_own_steps(tmp_path: Path) -> None:
    world, _model = world_of(tmp_path, **{FIRST: "Mira Sodo", SECOND: "Riga"})
    answers = world.router.answer(["Where does Eve live?", ASKED, SECOND, ASKED])
    assert [answer.text for answer in answers] == [REFUSAL, "Riga", "Riga", "Riga"]
