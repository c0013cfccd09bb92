from __future__ import annotations

import pytest

from hybridmem.core.text.descriptions import LONGEST, description

KNOWN = (
    "Mira Sodo looks after the Tavrin server.",
    "The Tavrin server was bought in May.",
    "Ivo is Ana Brito's boss.",
    "Ana Brito lives in Porto.",
    "My older sister is Eva.",
)


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        (
            "Which city does the person who looks after the Tavrin server live in?",
            "Who looks after the Tavrin server?",
            "Which city does X live in?",
        ),
        (
            "What is the dog of the woman that looks after the Tavrin server called?",
            "Who looks after the Tavrin server?",
            "What is the dog of X called?",
        ),
        (
            "Where was the machine which runs the Tavrin server bought",
            "Which machine runs the Tavrin server?",
            "Where was X bought?",
        ),
        (
            "Which river flows through the city that Ana Brito lives in?",
            "Which city does Ana Brito live in?",
            "Which river flows through X?",
        ),
        ("When was Ana Brito's boss born?", "Who is Ana Brito's boss?", "When was X born?"),
        ("Where does my older sister work?", "Who is my older sister?", "Where does X work?"),
        (
            "Which instrument does the boss of Ana Brito play?",
            "Who is the boss of Ana Brito?",
            "Which instrument does X play?",
        ),
    ],
)
def test_a_description_is_a_question_of_its_own(question: str, first: str, second: str) -> None:
    found = description(question, KNOWN)
    assert found is not None
    assert (found.question, found.of("X")) == (first, second)


@pytest.mark.parametrize(
    "question",
    [
        "Where does Ana Brito live?",
        "Who looks after the Tavrin server?",
        "Who is the person who looks after the Tavrin server?",
        "What is the name of the person who looks after the Tavrin server?",
        "What is my older sister called?",
        "Who is Ana Brito's boss?",
        "Where does the person who knows Zane live?",
        "Where does Ana Brito's neighbour live?",
        "What's new?",
        "",
        "Where does the person who looks after the Tavrin server live" + " and live" * LONGEST,
    ],
)
def test_what_names_or_asks_for_somebody_describes_nobody(question: str) -> None:
    """A name or a word that no memory has is nothing that could be looked up first."""
    assert description(question, KNOWN) is None
