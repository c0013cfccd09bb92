"""Long texts in parts: nothing is lost, none is too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.records import Episode
from hybridmem.stores.index.chunks import CHUNK, MOST, TOKENS, chunks, parts

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
    assert all(part.startswith("Ana: ") for part in parts(said))
