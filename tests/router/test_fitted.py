"""What a prompt reads fits into the model, whatever was remembered."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.router.context import fitted

KEY = "Noor keeps the spare key in the blue tin."


def within(characters: int, shown: Sequence[str]) -> bool:
    return sum(map(len, shown)) <= characters


def test_what_fits_is_left_alone() -> None:
    assert fitted(["a", "b"], "q", lambda shown: True) == ["a", "b"]


def test_a_long_memory_is_cut_to_what_was_asked_about() -> None:
    long = "Nothing of note was said. " * 400 + KEY + " Nothing of note was said." * 400
    found = fitted(["Ana lives in Porto.", long], "Where does Noor keep the spare key?", lambda s: within(900, s))
    assert found[0] == "Ana lives in Porto."
    assert KEY in found[1]


def test_short_ones_go_oldest_first() -> None:
    assert fitted(["old " * 20, "new " * 20], "q", lambda shown: within(100, shown)) == ["new " * 20]


@given(st.lists(st.text(max_size=3000), max_size=6), st.integers(0, 2000))
def test_it_always_fits(read: list[str], room: int) -> None:
    assert within(room, fitted(read, "Where is the key?", lambda shown: within(room, shown)))
