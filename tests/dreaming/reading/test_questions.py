"""Questions are kept when reading gives their answer, from the proposition, from the message, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hybridmem.core.records import Episode
from hybridmem.dreaming.reading.aboutness import asks_of_its_subject
from hybridmem.dreaming.reading.propositions import Proposition
from hybridmem.dreaming.reading.questions import Questions, check, write
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.dreaming.reading.source import Source
from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL
from tests.dreaming.nights import ANA, NIGHT, ScriptedModel

TEXT = "The user's exam is on Friday in room 12."


def proposition(text: str = TEXT, said: str = "My exam is on Friday in room 12.") -> Proposition:
    return Proposition(text, "asserted", Source(Episode("e1", ANA, said, at=NIGHT, recorded_at=NIGHT), said))


def asked(*lines: str) -> tuple[ScriptedModel, Callable[[str], str]]:
    left = list(lines)

    def say(content: str) -> str:
        return left.pop(0) if left else "none"

    return ScriptedModel(say), say


def written(*lines: str) -> Questions:
    model, _ = asked(*lines)
    return write(model, [proposition()], ReadingSettings(samples=len(lines) - 1), seed=0)


def test_a_question_is_kept_once_and_asked_as_the_user_would() -> None:
    found = written("When is the user's exam? | Friday", "when is the user's exam? | Friday", "Which room? | room 12")
    assert [(q.text, q.answer) for q in found.kept] == [("When is my exam?", "Friday"), ("Which room?", "room 12")]


def test_answers_are_spans_and_questions_name_what_they_ask_of() -> None:
    found = written(
        "When is the exam? | next Friday", "Is the exam on Friday? | Friday", "When is it? | Friday", "no question"
    )
    assert found.kept == ()
    assert found.left_out == {"no_span": 1, "tells_answer": 1, "about_nothing": 1}


@pytest.mark.parametrize(("nats", "kept"), [(0.5, 1), (0.7, 0)])
def test_a_question_that_is_improbable_to_a_small_reader_is_left_out(nats: float, kept: int) -> None:
    class Small(ScriptedModel):
        jobs = ("propositions", "question")

        def generate(self, *given: Any, **more: Any) -> list[Generation]:
            return [replace(each, logprob=-nats * each.tokens) for each in super().generate(*given, **more)]

    small = Small(lambda _: "When is the user's exam? | Friday")
    found = write(small, [proposition("Friday: the user's exam.")], ReadingSettings(samples=1), seed=0)
    assert (len(found.kept), found.left_out["improbable"]) == (kept, 2 - 2 * kept)


@pytest.mark.parametrize(("nats", "kept"), [(0.2, 1), (0.4, 0)])
def test_a_word_that_nobody_said_is_left_to_what_a_small_reader_is_sure_of(nats: float, kept: int) -> None:
    class Small(ScriptedModel):
        jobs = ("propositions", "question")

        def generate(self, *given: Any, **more: Any) -> list[Generation]:
            return [replace(each, logprob=-nats * each.tokens) for each in super().generate(*given, **more)]

    small = Small(lambda _: "Which weekday is the user's examination on? | Friday")
    found = write(small, [proposition("Friday: the user's exam.")], ReadingSettings(samples=1), seed=0)
    assert (len(found.kept), found.left_out["asks_unsaid"]) == (kept, 2 - 2 * kept)


def test_a_small_readers_statements_are_also_asked_about_by_grammar() -> None:
    class Small(ScriptedModel):
        jobs = ("propositions", "question")

    tuba = proposition("Paigas Treskol plays the tuba.", "Paigas Treskol plays the tuba.")
    kept = write(Small(lambda _: "Which key? | the tuba"), [tuba], ReadingSettings(samples=1), seed=0).kept
    assert [(q.text, q.answer) for q in kept] == [("What does Paigas Treskol play?", "the tuba")]


def checked(say: Callable[[str], str], neighbours: Sequence[Episode] = ()) -> Questions:
    (question,) = written("When is the user's exam? | Friday").kept
    return check(ScriptedModel(say), [question], lambda source: neighbours)


def test_reading_the_proposition_and_the_message_must_give_the_answer() -> None:
    assert checked(lambda content: "on Friday").left_out == {}
    wrong = checked(lambda content: "room 12" if "The user's" in content else "Friday")
    assert (wrong.kept, dict(wrong.left_out)) == ((), {"not_in_proposition": 1})
    wrong = checked(lambda content: "Friday" if "The user's" in content else REFUSAL)
    assert dict(wrong.left_out) == {"not_in_message": 1}


def test_a_neighbour_that_answers_otherwise_makes_it_ambiguous_unless_the_message_changes_it() -> None:
    other = replace(proposition().source.episode, id="e0", text="The exam is on Monday.")

    def torn(content: str) -> str:
        return "Monday" if "Monday" in content else "Friday"

    assert dict(checked(torn, [other]).left_out) == {"ambiguous": 1}
    assert len(checked(lambda content: "Friday" if "Friday" in content else "Monday", [other]).kept) == 1
    assert len(checked(lambda content: "Friday" if "Friday" in content else REFUSAL, [other]).kept) == 1


@pytest.mark.parametrize(
    ("question", "answer", "statement", "asks"),
    [
        ("How long is Hanne's train home?", "50 minutes", "Hanne's train home takes 50 minutes.", True),
        ("How long is our train home?", "50 minutes", "Hanne's train home takes 50 minutes.", False),
        ("What size are my shoes?", "43", "The user's shoes are size 43.", True),
        ("What size are the shoes?", "43", "The user's shoes are size 43.", False),
        ("Which port is it on?", "4636", "The Dresis server listens on port 4636.", False),
        ("Who plays the tuba?", "Paigas Treskol", "Paigas Treskol plays the tuba.", False),
        ("Which group meets on Tuesday?", "Ana Brito", "The group of Ana Brito meets every Tuesday.", False),
        ("Who has locker 892?", "Ana Brito", "Ana Brito has locker 892.", True),
        ("Who owes me a beer?", "Priya", "Priya owes the user a beer.", True),
        ("When does the contract end?", "31 March", "The contract ends on 31 March.", True),
        ("Which city did the team move to?", "Ghent", "The team moved to Ghent.", True),
    ],
)
def test_a_question_names_the_subject_or_leaves_one_alone(
    question: str, answer: str, statement: str, asks: bool
) -> None:
    assert asks_of_its_subject(question, answer, statement) is asks
