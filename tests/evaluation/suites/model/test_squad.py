"""SQuAD's scores on its own examples."""

from __future__ import annotations

import pytest

from hybridmem.evaluation.suites.model import squad


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("The Denver Broncos.", "Denver Broncos"),
        ("golden anniversary", '"golden anniversary"'),
        ("an  apple", "apple"),
        ("24–10", "24–10"),
    ],
)
def test_answers_that_are_equal(said: str, wanted: str) -> None:
    assert squad.exact_match(said, [wanted, "something else"])
    assert squad.f1(said, ["something else", wanted]) == 1.0


def test_partial_answers() -> None:
    assert not squad.exact_match("in Santa Clara", ["Santa Clara, California"])
    assert squad.f1("in Santa Clara", ["Santa Clara, California"]) == pytest.approx(2 / 3)
    assert squad.f1("Denver Denver", ["Denver"]) == pytest.approx(2 / 3), "a word counts as often as it is wanted"
    assert squad.f1("", ["Denver"]) == squad.f1("Oslo", ["Denver"]) == squad.f1("Oslo", []) == 0.0
    assert not squad.exact_match("I don't know.", [])
