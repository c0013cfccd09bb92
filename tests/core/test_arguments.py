"""What callers pass: one error of the project's for whatever else it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput

anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()), st.just(int)
)


@given(anything)
def test_what_is_no_text_is_refused_by_its_name(value: Any) -> None:
    if isinstance(value, str):
        assert arguments.text("query", value) == value
    else:
        with pytest.raises(InvalidInput, match=r"^query is ") as raised:
            arguments.text("query", value)
        assert "\n" not in str(raised.value)


@given(anything, st.integers(0, 10), st.integers(10, 2**64))
def test_a_whole_number_is_within_its_bounds(value: Any, least: int, most: int) -> None:
    if type(value) is int and value >= least:
        assert arguments.whole("limit", value, least=least, most=most) == min(value, most)
    else:
        with pytest.raises(InvalidInput, match=r"^limit is "):
            arguments.whole("limit", value, least=least, most=most)


def test_a_number_of_ten_thousand_digits_is_not_printed() -> None:
    with pytest.raises(InvalidInput) as raised:
        arguments.whole("after", -(10**10_000), least=0, most=1)
    assert len(str(raised.value)) < 100


def test_a_number_is_taken_as_it_is_written() -> None:
    assert [arguments.text_or_number("object", value) for value in (42, 1.5, "x")] == ["42", "1.5", "x"]
    with pytest.raises(InvalidInput):
        arguments.text_or_number("object", True)


def test_a_path_starts_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert arguments.path("path", "~/memory") == tmp_path / "memory"
    assert arguments.path("path", Path("~")) == tmp_path
    assert arguments.path("path", "a/~") == Path("a/~")
    for odd in ("~nobody-by-this-name/memory", "a\x00b", 42, None):
        with pytest.raises(InvalidInput):
            arguments.path("path", odd)
