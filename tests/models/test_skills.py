"""What a reader can do, and the worked examples that a model without the skills is shown."""

from __future__ import annotations

from datetime import datetime

import pytest

from hybridmem.models import prompts, skills
from hybridmem.models.fake import FakeModel
from hybridmem.models.jobs import BASIC, EVERY
from hybridmem.models.reader import LangChainReader, OpenAIReader
from tests.dreaming.nights import ScriptedModel

NOON = datetime(2026, 3, 4, 12)


class Instruct(ScriptedModel):
    follows_examples = True


def test_who_can_do_what() -> None:
    plain = ScriptedModel(lambda content: "none")
    assert not skills.supports(plain, "propositions")
    assert not skills.supports(FakeModel(jobs=BASIC), "propositions")
    assert skills.trained_for(FakeModel(jobs=EVERY), "propositions")
    instruct = Instruct(lambda content: "none")
    assert skills.supports(instruct, "propositions") and not skills.trained_for(instruct, "propositions")
    assert LangChainReader.follows_examples and OpenAIReader.follows_examples


def test_the_trained_get_the_bare_prompt_and_the_others_examples_before_it() -> None:
    asked = {"speaker": "Mira", "at": NOON, "before": ["Ben: six?"]}
    bare = skills.propositions(FakeModel(jobs=EVERY), "at seven", **asked)  # type: ignore[arg-type]
    assert bare == prompts.propositions("at seven", **asked)  # type: ignore[arg-type]
    shown = skills.propositions(Instruct(lambda content: "none"), "at seven", **asked)  # type: ignore[arg-type]
    assert (shown[0], shown[-1]) == (bare[0], bare[-1])
    assert [turn["role"] for turn in shown[1:-1]] == ["user", "assistant"] * ((len(shown) - 2) // 2)
    assert len(skills.question(Instruct(lambda content: "none"), "It is so.")) > 2
    assert len(skills.question(ScriptedModel(lambda content: "none"), "It is so.")) == 2


def test_the_examples_are_right_in_their_own_terms() -> None:
    examples = skills.worked_examples()
    moods = [mood for _, said in examples.propositions for mood, _ in prompts.parse_propositions(said)]
    assert {"asserted", "denied", "wished", "conditional", "planned", "quoted", "asked", "joked"} <= set(moods)
    for _, said in examples.propositions:
        assert said == prompts.NO_FACTS or len(prompts.parse_propositions(said)) == len(said.splitlines())
    for asked, said in examples.questions:
        pair = prompts.parse_question(said)
        assert pair is not None
        assert pair[1] in asked


@pytest.mark.parametrize("job", ["propositions", "question"])
def test_the_file_ships_with_the_package(job: str) -> None:
    assert skills.FILE.parent.name == "models"
    assert f"[[{job}]]" in skills.FILE.read_text("utf-8")
