"""A fact's line: read back whatever is in it, and read as a person would write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridmem.core.records import Fact
from hybridmem.core.text.tokens import normalised
from hybridmem.maintenance.markdown.fact_line import FactLine, parse, render

SINCE = datetime(2026, 3, 1, 9, tzinfo=UTC)
NASTY = (
    "house (2019-01-01)",
    "(since 2019-01-01 until 2020-01-01)",
    'the film "Alien"',
    "a: b",
    "what? no",
    "C:\\temp\\",
    "\\(2019-01-01)",
    "two\nlines",
    "<br>",
    "\\<br>",
    "mark ^fa-1",
    "[ ] task",
    "[[Bea|sister]]",
    "- list",
    "f()",
    '" (2019-01-01) "',
)
TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.sampled_from('ab :?\\()"^[]<>br-|\n0129'), min_size=1, max_size=24),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=24),
).filter(lambda text: normalised(text) != "")


def fact(relation: str = "lives in", object: str = "Lisbon", text: str | None = None, **given: object) -> Fact:
    bare = f"Ana {relation} {object}."
    return Fact("fa_1", ("ana",), "Ana", relation, object, bare if text is None else text, SINCE, **given)  # type: ignore[arg-type]


def folded(text: str) -> str:
    return text.strip()


@given(relation=TEXT, object=TEXT, text=TEXT)
@example("a?", "b", "c")
@example("mots :", "b", "c")
def test_what_is_written_is_read_back(relation: str, object: str, text: str) -> None:
    line = render(fact(relation, object, text), "fa-1")
    assert "\n" not in line
    read = parse(line)
    assert read is not None, line
    assert read.block == "fa-1"
    assert read.key == folded(relation), line
    assert read.value == folded(object), line
    assert (read.since, read.until) == ("2026-03-01", None)
    assert read.sentence == folded(text), line


@given(question=TEXT, object=TEXT)
@example("Où est-ce ", "là")
def test_a_question_is_read_back(question: str, object: str) -> None:
    line = render(fact(object=object, question=f"{question}?", text="Said."), "fa-1")
    read = parse(line)
    assert read is not None, line
    assert (read.key, read.value, read.is_question) == (folded(f"{question}?"), folded(object), True)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("- speaks: Greek", FactLine("speaks", "Greek")),
        ("* speaks:   Greek  ", FactLine("speaks", "Greek")),
        ("- Where does Ana live? Porto", FactLine("Where does Ana live?", "Porto")),
        ("- lives in: Porto (2026-11-01)", FactLine("lives in", "Porto", "2026-11-01")),
        ("- lives in: Porto (since 2026-11-01T09:00)", FactLine("lives in", "Porto", "2026-11-01T09:00")),
        (
            "- lives in: Porto (from 2026-01-01 to 2026-05-01)",
            FactLine("lives in", "Porto", "2026-01-01", "2026-05-01"),
        ),
        ("- lives in: Porto (until 2026-05-01)", FactLine("lives in", "Porto", None, "2026-05-01")),
        ('- likes: the film "Alien"', FactLine("likes", 'the film "Alien"')),
        ("- likes: it (2026-01-01) “Ana likes it.”", FactLine("likes", "it", "2026-01-01", None, "Ana likes it.")),
        ("- bought: a house (2019-01-01) and a boat", FactLine("bought", "a house (2019-01-01) and a boat")),
        ("- works in: a lab (biology)", FactLine("works in", "a lab (biology)")),
        ("- keeps: C:\\temp", FactLine("keeps", "C:\\temp")),
        ("- site: https://example.org/a?b=c", FactLine("site", "https://example.org/a?b=c")),
        ("- speaks: Greek ^x-1", FactLine("speaks", "Greek", block="x-1")),
        ("- a plain remark", None),
        ("- https://example.org", None),
        ("- [ ] call: Bea", None),
        ("- [x] call: Bea", None),
        ("- nothing:", None),
        ("  - nested: line", None),
        ("speaks: Greek", None),
        ("# Ana: notes", None),
        ("", None),
    ],
)
def test_a_line_as_a_person_writes_it(line: str, read: FactLine | None) -> None:
    assert parse(line) == read
