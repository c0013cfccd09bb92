"""Whether a text asks something: asked of a turn of chat, of a recalled memory, and of the turn before an answer."""

from __future__ import annotations

import pytest

from hybridmem.core.text.questions import asks, ends_as_question


@pytest.mark.parametrize(
    ("text", "question", "ends"),
    [
        ("Where does Ana live?", True, True),
        ("where does Ana live", True, False),
        ("Tell me about Ana.", True, False),
        ("Ana lives where?", True, True),
        ('She asked: "where to?"', True, True),
        ("Ana住在哪里？", True, True),
        ("Is it this one? [photo: a red boat]", True, True),
        ("You like it (don't you?) ", True, True),
        ("Whatever Ana says.", False, False),
        ("Ana lives in Porto.", False, False),
        ("Why? I forgot.", True, False),
        ("", False, False),
    ],
)
def test_a_question_is_known_by_its_end_or_its_first_word(text: str, question: bool, ends: bool) -> None:
    assert asks(text) is question
    assert ends_as_question(text) is ends
