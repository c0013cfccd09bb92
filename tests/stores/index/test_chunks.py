"""Long texts in parts: nothing is lost, none is too long."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.records import Episode
from hybridmem.embedding import load
from hybridmem.stores.index.chunks import CHUNK, CONTEXT, MOST, TOKENS, Part, chunks, in_context, parts, similarity

_words = st.text(st.sampled_from("ab cd. é今天! \n"), max_size=3000)


@settings(deadline=None, max_examples=30)
@given(_words)
def test_every_character_is_in_a_chunk_in_order(text: str) -> None:
    bare = re.sub(r"\s", "", text)
    found = 0
    for chunk in chunks(text):
        part = re.sub(r"\s", "", chunk)
        at = bare.find(part, max(0, found - len(part)))
        assert 0 <= at <= found
        found = max(found, at + len(part))
    assert found == len(bare)


@pytest.mark.parametrize("text", ["Some words here. " * 400, "今天下雨了。" * 400, "x" * 20_000, "no full stop " * 900])
def test_a_chunk_is_short_enough_to_be_read_whole(text: str) -> None:
    made = chunks(text)
    assert len(made) > 10
    assert all(len(chunk) <= 4.3 * CHUNK and len(chunk.encode()) <= 4 * TOKENS for chunk in made)


def test_a_short_text_stays_whole_and_a_huge_one_has_a_bounded_number() -> None:
    assert chunks("Ana lives in Porto.") == ["Ana lives in Porto."]
    assert MOST / 2 < len(chunks("It rained again today. " * 40_000)) <= MOST + 1


def test_each_part_has_its_speaker() -> None:
    said = Episode("e", ("a",), "Some words here. " * 400, speaker="Ana")
    assert all(part.text.startswith("Ana: ") for part in parts(said))


def test_each_sentence_is_a_part_beside_its_chunk_and_once() -> None:
    said = Episode("e", ("a",), "Hi Mel! " + "We spoke about the budget. " * 100 + "Finally Zane adopted a kitten.")
    whole = [part for part in parts(said) if part.within is None]
    sentences = [part for part in parts(said) if part.within is not None]
    assert [part.text for part in whole] == chunks(said.text) and len(whole) > 2
    assert [(part.text, part.within) for part in sentences] == [
        ("Hi Mel! We spoke about the budget.", 0),
        ("We spoke about the budget.", 0),
        ("Finally Zane adopted a kitten.", len(whole) - 1),
    ]
    assert parts(Episode("e", ("a",), "Ana lives in Porto.")) == [Part("Ana lives in Porto.")]


@settings(deadline=None, max_examples=30)
@given(_words)
def test_a_sentence_names_a_chunk_before_it_and_none_stands_twice(text: str) -> None:
    made = parts(Episode("e", ("a",), text))
    chunks_of = [part for part in made if part.within is None]
    assert made[: len(chunks_of)] == chunks_of
    assert all(part.within is None or 0 <= part.within < len(chunks_of) for part in made)
    assert len({part.text for part in made if part.within is not None}) == len(made) - len(chunks_of)
    assert len(made) <= 2 * MOST + 2


def test_a_sentence_is_moved_towards_its_chunk_and_stays_of_unit_length() -> None:
    vectors = np.eye(3, dtype=np.float32)
    moved = in_context([Part("a"), Part("b"), Part("c", 1)], vectors)
    assert np.array_equal(moved[:2], vectors[:2])
    assert np.allclose(moved[2], np.array([0, CONTEXT, 1]) / np.hypot(1, CONTEXT))
    assert np.array_equal(vectors, np.eye(3)), "the vectors that were given stay as they are"


@pytest.mark.parametrize("sentences", [3, 40, 200])
def test_one_sentence_about_something_else_is_found_by_its_meaning(sentences: int) -> None:
    said = Episode("long", ("a",), "We spoke about the budget. " * sentences + "Finally Zane adopted a kitten.")
    notes = [Episode(f"n{number}", ("a",), f"Note {number} about pets and shelters.") for number in range(5)]
    embedder = load()
    long, *short = similarity([said, *notes], embedder, embedder.embed(["Who has a new cat?"])[0])
    assert long > max(short)
