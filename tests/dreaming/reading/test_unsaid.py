from __future__ import annotations

import pytest

from hybridmem.core.errors import MissingExtra
from hybridmem.core.text.tokens import tokens
from hybridmem.dreaming.reading import unsaid as module
from hybridmem.dreaming.reading.unsaid import asks_unsaid, unsaid

HANNE = "Hanne's train home takes 50 minutes; she used to drive but sold the Polo in the summer."
LEASE = "So I finally signed the lease, we're moving to Ghent on the 1st of December, me and Tomas."


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (HANNE, "How long does Hanne's train take?"),
        (HANNE, "Hanne sold the Polo in the summer of 2026."),
        (LEASE, "Which city are we moving to?"),
        (LEASE, "The user moves to Ghent on 2026-12-01 with Tomas."),
    ],
)
def test_what_was_said_may_be_asked_in_other_forms(message: str, text: str) -> None:
    assert unsaid(text, tokens(message)) == []


@pytest.mark.parametrize(
    ("message", "text", "words"),
    [
        (HANNE, "Which team did Hanne buy?", ["team", "buy"]),
        (LEASE, "Which suburb did you think of moving to?", ["suburb", "think"]),
        (LEASE, "The Ghent building is moving to Ghent.", ["building"]),
    ],
)
def test_what_nobody_said_is_named(message: str, text: str, words: list[str]) -> None:
    assert unsaid(text, tokens(message)) == words


@pytest.mark.parametrize(
    ("message", "question", "answer"),
    [
        ("Paigas plays the tuba.", "Which instrument does Paigas play?", "tuba"),
        ("Paigas plays the tuba.", "On which musical instrument does Paigas play?", "the tuba"),
        ("Sikes is learning Danish.", "What is the language that Sikes is learning?", "Danish"),
        ("Daizi works as a lawyer.", "What is Daizi's profession?", "lawyer"),
        ("My head hurts, I took ibuprofen.", "What medicine did I take?", "ibuprofen"),
        ("We moored in Tampa.", "Which city did we moor in?", "Tampa"),
    ],
)
def test_a_question_may_name_the_kind_of_its_answer(message: str, question: str, answer: str) -> None:
    assert asks_unsaid(question, answer, tokens(message)) == []


@pytest.mark.parametrize(
    ("message", "question", "answer", "words"),
    [
        (HANNE, "Which team did Hanne sell?", "the Polo", ["team"]),
        (LEASE, "Which suburb did you think of moving to?", "Ghent", ["suburb", "think"]),
        ("Paigas plays the tuba.", "Which language does Paigas play?", "tuba", ["language"]),
        ("Ana bought bread.", "What did Ana bake?", "bread", ["bake"]),
        ("Ana plays the tuba.", "What is Ana's favourite instrument?", "tuba", ["favourite"]),
        ("Paigas plays the tuba.", "Who plays the tuba in the orchestra?", "Paigas", ["orchestra"]),
    ],
)
def test_no_other_word_of_its_own(message: str, question: str, answer: str, words: list[str]) -> None:
    assert asks_unsaid(question, answer, tokens(message)) == words


def test_without_the_embedder_no_kind_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingExtra("not here")

    monkeypatch.setattr(module, "_embedder", missing)
    assert asks_unsaid("Which instrument does Ana play?", "tuba", tokens("Ana plays the tuba.")) == ["instrument"]
