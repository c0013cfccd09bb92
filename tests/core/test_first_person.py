"""Who "I" is: asked by extraction, by the exercises of a dream, and by the router."""

from __future__ import annotations

import pytest

from hybridmem.core.text.first_person import SPEAKER, SPEAKER_WORDS, is_first_person
from hybridmem.core.text.tokens import normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved to Porto.", True),
        ("i'm from Porto", True),
        ("I’ve moved.", True),
        ("They gave it to me.", True),
        ("The blue one is MINE!", True),
        ("Our flat is in Porto.", True),
        ("They told us.", True),
        ("Us two.", True),
        ("She moved to the US.", False),
        ("Ana lives in India with Mina.", False),
        ("Museum", False),
    ],
)
def test_the_first_person_is_a_whole_word(text: str, expected: bool) -> None:
    assert is_first_person(text) is expected


def test_what_models_write_for_the_speaker() -> None:
    assert {normalised(word) for word in ("I", "Me", "my", "myself", "User", "the user")} == SPEAKER_WORDS
    assert normalised(SPEAKER) in SPEAKER_WORDS
