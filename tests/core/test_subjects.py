"""Which subject a question is about: asked by the router of a question, and by a dream of its exercises."""

from __future__ import annotations

import pytest

from hybridmem.core.text.subjects import names_any_subject, names_subject
from hybridmem.core.text.tokens import normalised


@pytest.mark.parametrize(
    ("question", "subject", "answer"),
    [
        ("Where does Ana live?", "Ana", True),
        ("where does ANA live", "Ana", True),
        ("Where does Anabel live?", "Ana", False),
        ("Who feeds the blue boat?", "The blue boat", True),
        ("What is my name?", "I", True),
        ("What is mine?", "I", True),
        ("What is in it?", "I", False),
        ("Is C++ fun?", "C++", True),
        ("What is our address?", "I", True),
        ("Who wrote to us?", "I", True),
        ("Which US state is it?", "I", False),
        ("Where do we live?", "i", True),
        ("Who is it?", "...", False),
    ],
)
def test_a_question_names_its_subject_in_whole_words(question: str, subject: str, answer: bool) -> None:
    assert names_subject(question, subject) is answer
    assert names_any_subject(question, ["nobody", normalised(subject)]) is answer


def test_an_exercise_on_the_speaker_is_in_the_singular() -> None:
    assert names_subject("Where do I live?", "I", plural=False)
    assert not names_subject("Where are we going?", "I", plural=False)
    assert names_subject("Where are we going?", "I")
