"""The part of a long text that a question is about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.text.excerpt import GAP, excerpt

DULL = "The meeting went on and on about the colour of the chairs. "


def test_the_sentence_that_was_asked_about_stays() -> None:
    text = DULL * 30 + "Noor keeps the spare key in the blue tin. " + DULL * 30
    cut = excerpt(text, "Where does Noor keep the spare key?", 200)
    assert "in the blue tin" in cut
    assert len(cut) < 220


def test_its_neighbour_comes_before_a_far_one() -> None:
    text = DULL * 5 + "The wifi of the cabin is called Marmot. It wants 7712-lake. " + DULL * 5
    assert "7712-lake" in excerpt(text, "What is the wifi password of the cabin?", 90)


def test_a_sentence_without_an_end_is_cut_around_its_words() -> None:
    text = "x " * 800 + "the launch code is 4411 " + "y " * 800
    cut = excerpt(text, "What is the launch code?", 120)
    assert "4411" in cut
    assert cut.startswith(GAP)
    assert cut.endswith(GAP)


@given(st.text(max_size=400), st.text(max_size=60), st.integers(20, 300))
def test_it_is_no_longer_than_asked(text: str, question: str, characters: int) -> None:
    cut = excerpt(text, question, characters)
    assert cut == text or len(cut.replace(GAP, "")) <= characters + cut.count(GAP)
