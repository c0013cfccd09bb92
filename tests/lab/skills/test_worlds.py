"""Worlds: what is asked can be answered from the memories that are shown, and from none of them is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from hybridmem.models import prompts
from lab.skills import worlds
from lab.skills.exercises import Line
from lab.skills.worlds import Asked, World, WorldExercises

TEXTS = (
    "The dentist is on Tuesday at 9.",
    "Ana's dentist is on Friday, mine costs 40.",
    "They moved my dentist to Wednesday at 11.",
    "Bought seeds for the balcony, basil and dill.",
)
LIFE = World(
    id="T001",
    messages=tuple(Line(datetime(2026, 3, day, 9), "Ben", text) for day, text in enumerate(TEXTS, start=1)),
    questions=(
        Asked("When is my dentist's appointment?", "Wednesday at 11", (2,)),
        Asked("When is Ana at the dentist's?", "Friday", (1,)),
        Asked("What did I buy for the balcony?", "seeds", (3,)),
    ),
    unanswerable=("What does Ana pay?",),
    yes_no=(Asked("Is my dentist on Tuesday?", "No", (2,)),),
)
BY_QUESTION = {each.question.rstrip("?").lower(): each for each in (*LIFE.questions, *LIFE.yes_no)}


def asked_and_shown(shown: list[dict[str, str]]) -> tuple[str, str]:
    memories, _, question = shown[-1]["content"].partition("Question: ")
    return question.rstrip("?").lower(), memories


@pytest.mark.parametrize("seed", range(30))
def test_an_answer_comes_with_its_memories(seed: int) -> None:
    group = WorldExercises([LIFE], Random(seed)).read()
    assert group
    for prompt, answer in group:
        question, memories = asked_and_shown(prompt)  # type: ignore[arg-type]
        if question in BY_QUESTION:
            asked = BY_QUESTION[question]
            assert answer == asked.answer
            assert all(TEXTS[at] in memories for at in asked.sources)
        else:
            assert (question, answer) == ("what does ana pay", prompts.REFUSAL)


def test_one_memory_is_asked_for_what_it_says_and_for_what_it_does_not() -> None:
    seen = set()
    for seed in range(60):
        for prompt, answer in WorldExercises([LIFE], Random(seed)).read_alone():
            question, memories = asked_and_shown(prompt)  # type: ignore[arg-type]
            (shown,) = [at for at, text in enumerate(TEXTS) if text in memories]
            seen.add((question, shown, answer))
    assert ("when is my dentist's appointment", 2, "Wednesday at 11") in seen
    assert ("when is my dentist's appointment", 3, prompts.REFUSAL) in seen
    assert ("when is ana at the dentist's", 2, prompts.REFUSAL) in seen
    # What was said earlier may hold an older value, which is no reason to refuse.
    assert not [each for each in seen if each[:2] == ("when is my dentist's appointment", 0)]


def test_the_same_state_draws_the_same() -> None:
    one, other = (WorldExercises([LIFE], Random(3)) for _ in range(2))
    assert [one.read(), one.read_alone()] == [other.read(), other.read_alone()]


@pytest.mark.parametrize("world", worlds.load(), ids=lambda world: str(world.id))
def test_the_worlds_that_are_trained_on_are_sound(world: World) -> None:
    assert worlds.problems(world) == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "A1"}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 1 is no world"):
        worlds.load(tmp_path)


def test_problems_are_found() -> None:
    broken = World("T2", LIFE.messages[::-1], (Asked("Where?", " ", (9,)),), (), (Asked("Is it?", "Maybe", (0,)),))
    assert len(worlds.problems(broken)) == 4
