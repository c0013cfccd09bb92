"""Questions about who said something, when, and whether it is so: their answers are what the memories say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs.attribution_questions import NO, WHEN, WHETHER, WHO, YES, AttributionQuestions
from hybridmem.evaluation.memory_jobs.fact_generator import Fact, FactGenerator
from hybridmem.evaluation.memory_jobs.relations import load
from hybridmem.evaluation.memory_jobs.scenes import AS_THE_USER, AS_YOU, LABELLED, Scene, SceneWriter
from hybridmem.evaluation.memory_jobs.sentences import second_person, yes_no_form
from hybridmem.models import prompts


def scenes(count: int, held_out: bool = False) -> Iterator[tuple[Scene, AttributionQuestions]]:
    generator = FactGenerator(Random(11), load(), held_out=held_out)
    writer, sayings = SceneWriter(generator), AttributionQuestions(generator, new_forms=held_out)
    for _ in range(count):
        yield writer.scene(5), sayings


def test_who_said_it_is_whose_line_says_it() -> None:
    asked = 0
    for scene, sayings in scenes(2000):
        if found := sayings.who(scene):
            question, answer, _ = found
            assert answer in scene.speakers
            told = {scene.lines[scene.stated_in[fact]] for fact in scene.facts if is_in(fact, question)}
            assert any(f"{answer}: " in line for line in told)
            asked += 1
    assert asked > 100


def test_when_it_was_said_is_the_date_of_the_line() -> None:
    asked = 0
    for scene, sayings in scenes(2000):
        if found := sayings.when(scene):
            question, answer, _ = found
            (line,) = {scene.lines[scene.stated_in[fact]] for fact in scene.facts if is_in(fact, question)}
            assert line.startswith(f"[{answer}]")
            asked += 1
    assert asked > 80


def is_in(fact: Fact, question: str) -> bool:
    return all(re.search(rf"(?<!\w){re.escape(part)}", question, re.IGNORECASE) for part in (fact.subject, fact.value))


def test_yes_no_and_unknown_are_told_apart() -> None:
    answers: Counter[str] = Counter()
    for scene, sayings in scenes(2000):
        found = sayings.whether(scene)
        if found is None:
            continue
        question, answer, _ = found
        answers[answer] += 1
        holding = [fact for fact in scene.facts if fact.subject != SPEAKER and is_in(fact, question)]
        if answer == YES:
            assert holding
        elif answer == prompts.REFUSAL:
            assert not [fact for fact in holding if len(fact.value) > 3]
    assert min(answers[answer] for answer in (YES, NO, prompts.REFUSAL)) > 100


def test_the_last_forms_are_kept_for_evaluation() -> None:
    asked = [found[0] for scene, sayings in scenes(1500, held_out=True) if (found := sayings.when(scene))]
    assert asked
    ends = tuple(form.partition("{x}")[0] for form in WHEN[-2:])
    assert all(question.startswith(ends) for question in asked)
    assert len({*WHO}) == len(WHO) and len({*WHEN}) == len(WHEN) and len({*WHETHER}) == len(WHETHER)


def test_what_the_speaker_says_is_written_down_in_several_voices() -> None:
    seen: Counter[str] = Counter()
    for scene, _ in scenes(1500):
        if scene.speakers or not any(fact.subject == SPEAKER for fact in scene.facts):
            continue
        text = " ".join(scene.lines)
        if scene.voice == AS_YOU:
            seen["you"] += "You" in text or "you" in text
        elif scene.voice == AS_THE_USER:
            seen["user"] += "he user" in text
        elif scene.voice == LABELLED:
            assert all("User: " in line for line in scene.lines)
            seen["label"] += 1
    assert min(seen[kind] for kind in ("you", "user", "label")) > 15


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I live in Porto and my dog too.", "You live in Porto and your dog too."),
        ("Honestly, I'm a midwife myself.", "Honestly, you're a midwife yourself."),
        ("Call me on 555-1234. I was in Rome.", "Call you on 555-1234. You were in Rome."),
        ("Mimi is in Iowa", "Mimi is in Iowa"),
    ],
)
def test_a_saying_turned_to_the_speaker(said: str, told: str) -> None:
    assert second_person(said) == told


@pytest.mark.parametrize(
    ("form", "question"),
    [
        ("{s} lives in {o}.", "Does {s} live in {o}?"),
        ("{s} is a {o}.", "Is {s} a {o}?"),
        ("{s} has a {o} at home.", "Does {s} have a {o} at home?"),
        ("{s} has moved to {o}.", None),
        ("{s} watches {o}.", "Does {s} watch {o}?"),
        ("{s} always drinks {o}.", None),
        ("{o} is {s}'s home.", None),
    ],
)
def test_a_statement_turned_into_a_question(form: str, question: str | None) -> None:
    assert yes_no_form(form) == question
