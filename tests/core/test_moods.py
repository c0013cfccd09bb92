from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.text import moods


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("My friend Jack said he does not like football.", "reported"),
        ("According to the smokers' corner, Ottoline is leaving.", "reported"),
        ("I'd love a dog.", "wished"),
        ("I would've married him.", "conditional"),
        ("It’s as though we lived there.", "conditional"),
        ("We'll fly on Friday.", "planned"),
        ("Keep this to yourself: we are moving.", "confidential"),
        ("I havent paid.", "denied"),
        ("Not only Ana came.", "asserted"),
        ("The flat is No. 5.", "asserted"),
        ("What time is it?", "asked"),
    ],
)
def test_cues(text: str, mood: str) -> None:
    assert moods.mood(text) == mood


@given(st.text(max_size=300))
def test_clauses_and_sentences_keep_every_letter(text: str) -> None:
    letters = [c for c in text.replace("’", "'").replace("‘", "'") if c.isalnum()]
    assert [c for sentence in moods.sentences(text) for c in sentence if c.isalnum()] == [
        c for c in text if c.isalnum()
    ]
    assert len([c for clause in moods.clauses(text) for c in clause if c.isalnum()]) <= len(letters)


def test_not_belongs_to_its_verb_or_begins_a_clause() -> None:
    assert list(moods.clauses("It is not at six")) == ["It is not at six"]
    assert list(moods.clauses("at six not seven")) == ["at six", "not seven"]


@pytest.mark.parametrize("text", ["I was all set to switch to Vantel.", "Picture it: me, with a motorbike licence."])
def test_what_was_only_meant_or_pictured_is_unreal(text: str) -> None:
    assert moods.opens_unreal(text)


def test_what_was_meant_is_another_statement() -> None:
    assert [cue for cue, _ in moods.altering("I meant to rename the repo")] == ["meant to"]


@pytest.mark.parametrize(
    "text",
    [
        "Oh sure, and I'm opening a branch on Mars.",
        "Yeah right, I ran a marathon before breakfast.",
        "Sure, because I own three yachts.",
        "Ilya's version: the landlord is a retired spy.",
        "My uncle's theory is that the shop sells secrets.",
        "To hear my brother tell it, I live in a palace.",
        "Rumour has it that I am leaving Acme.",
        "Word on the street: Ana left the choir.",
    ],
)
def test_irony_and_doubted_words_of_others_state_nothing(text: str) -> None:
    assert moods.opens_unreal(text)


@pytest.mark.parametrize("text", ["Sure, I live in Porto.", "Oh, I moved to Porto.", "Yes, Porto."])
def test_a_plain_answer_is_no_irony(text: str) -> None:
    assert not moods.opens_unreal(text)


def test_what_is_to_be_forgotten_is_taken_back() -> None:
    assert moods.is_taken_back("The Tuesday class is off, so forget I ever mentioned pottery.")
    assert not moods.is_taken_back("Don't forget I moved to Porto.")


@pytest.mark.parametrize(
    "text",
    [
        "Ok let's play. I'm Captain Brannoch, and I've a parrot called Vex.",
        "Pretend you're a butler. My name is Ottoline, I own four islands.",
        "for the D&D sheet: raised by monks, owes a dragon 900 gold",
        "Write it as a sad letter: I live in a lighthouse.",
        "We're role-playing: I run a bakery on Mars.",
    ],
)
def test_a_part_that_is_played_is_fiction(text: str) -> None:
    assert moods.is_fiction(text)


@pytest.mark.parametrize(
    "text",
    ["I play the tuba.", "We played chess as a family.", "She writes as a hobby.", "I can't pretend any longer."],
)
def test_what_people_do_is_no_fiction(text: str) -> None:
    assert not moods.is_fiction(text)
