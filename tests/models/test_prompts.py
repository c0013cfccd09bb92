"""Replies are read leniently, and what has no form that was asked for is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.models import prompts

SAID = [("asserted", "Ana lives in Riga."), ("wished", "Ana wants a boat.")]


@pytest.mark.parametrize(
    "reply",
    [
        "asserted | Ana lives in Riga.\nwished | Ana wants a boat.",
        "- asserted | Ana lives in Riga.\n- wished | Ana wants a boat.",
        "1. Asserted | Ana lives in Riga.\n2. WISHED | Ana wants a boat.",
        "| asserted | Ana lives in Riga. |\n| wished | Ana wants a boat. |",
        "**asserted** | Ana lives in Riga.\n**wished** | Ana wants a boat.",
        "[asserted] | Ana lives in Riga.\n`wished` | Ana wants a boat.",
        "asserted: Ana lives in Riga.\nwished: Ana wants a boat.",
        "Here they are:\n\nasserted | Ana lives in Riga.\nwished | Ana wants a boat.\nLet me know if you need more!",
        "mood | sentence\n--- | ---\nasserted | Ana lives in Riga.\nwished | Ana wants a boat.",
    ],
)
def test_propositions_in_the_forms_that_models_give_them(reply: str) -> None:
    assert prompts.parse_propositions(reply) == SAID


@pytest.mark.parametrize(
    "reply", ["", "none", "What a message!", "happy | Ana lives in Riga.", "Ana | lives | Riga", "{}"]
)
def test_what_is_no_proposition_is_left_out(reply: str) -> None:
    assert prompts.parse_propositions(reply) == []


@pytest.mark.parametrize(
    "reply",
    [
        "Where does Ana live? | Riga",
        "1. Where does Ana live? | Riga",
        "Question: Where does Ana live? | Answer: Riga",
        "Question: Where does Ana live?\nAnswer: Riga",
        "Sure!\n**Question:** Where does Ana live? | **Answer:** Riga",
        "| Where does Ana live? | Riga |",
    ],
)
def test_questions_in_the_forms_that_models_give_them(reply: str) -> None:
    assert prompts.parse_question(reply) == ("Where does Ana live?", "Riga")


def test_an_initial_is_no_label() -> None:
    assert prompts.parse_question("Who leads the project? | A. Smith") == ("Who leads the project?", "A. Smith")


@given(st.text())
def test_no_reply_breaks_a_parser(reply: str) -> None:
    for mood, sentence in prompts.parse_propositions(reply):
        assert mood and sentence
    for question, answer in prompts.parse_questions(reply):
        assert question and answer
    for triple in prompts.parse_facts(reply):
        assert all(triple)
    assert prompts.is_yes(reply) in (True, False)
