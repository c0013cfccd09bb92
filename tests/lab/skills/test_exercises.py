"""Exercises of natural records: what is asked can be answered from what is shown, and moods decide what is believed."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from hybridmem.models import prompts
from lab.skills import natural
from lab.skills.exercises import NaturalExercises, questions_by_proposition
from lab.skills.natural import Change, NaturalRecord, Proposition

MOVE = NaturalRecord(
    id="t001",
    at=datetime(2026, 3, 4, 9, 30),
    speaker="user",
    before=(),
    text="Mila's nursery closes at 16:30 now. I'd love a dog.",
    propositions=(
        Proposition("The user would love a dog.", "wished", "I'd love a dog", ()),
        Proposition(
            "Mila's nursery closes at 16:30.",
            "asserted",
            "Mila's nursery closes at 16:30",
            (("Mila's nursery", "closes at", "16:30"),),
        ),
    ),
    questions=(("By when must Mila be fetched?", "16:30"), ("What would I love?", "a dog")),
    unanswerable=("When does the nursery open?",),
    yes_no=(("Do I have a dog?", "No"),),
    change=Change("Mila stays until 17:30.", datetime(2025, 11, 1), "Until when does Mila stay?", "17:30", "16:30"),
)


def test_propositions_come_in_the_order_of_the_text() -> None:
    prompt, completion = NaturalExercises([MOVE], Random(0)).propositions_of(MOVE)
    assert prompt[-1]["content"].startswith("Statements in: Wednesday 2026-03-04: Mila's")
    assert completion == "asserted | Mila's nursery closes at 16:30.\nwished | The user would love a dog."
    assert prompts.parse_propositions(completion) == [
        ("asserted", "Mila's nursery closes at 16:30."),
        ("wished", "The user would love a dog."),
    ]


def test_no_question_is_made_of_a_wish() -> None:
    assert [text for text, _, _ in questions_by_proposition(MOVE)] == ["Mila's nursery closes at 16:30."]


def test_a_changed_value_is_asked_with_the_old_memory_in_sight() -> None:
    seen = set()
    for seed in range(40):
        for prompt, answer in NaturalExercises([MOVE], Random(seed)).questions_over([MOVE], [MOVE]):
            shown = prompt[-1]["content"]
            if "Until when" in shown.partition("Question: ")[2] or "until when" in shown.partition("Question: ")[2]:
                seen.add((answer, "16:30 now" in shown))
                assert "17:30" in shown
    assert seen == {("17:30", False), ("16:30", True)}


@pytest.mark.parametrize("seed", range(10))
def test_answers_stand_in_the_memories_or_are_refusals(seed: int) -> None:
    exercises = NaturalExercises(natural.load("train"), Random(seed))
    for prompt, answer in exercises.read():
        shown = " ".join(prompt[-1]["content"].split())
        assert answer in {prompts.REFUSAL, "Yes", "No"} or prompts.one_line(answer) in shown


def test_the_same_seed_draws_the_same() -> None:
    records = natural.load("train")
    one, other = (NaturalExercises(records, Random(5)) for _ in range(2))
    assert [one.read() for _ in range(5)] == [other.read() for _ in range(5)]
