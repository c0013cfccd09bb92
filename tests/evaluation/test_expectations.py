"""What is true when: superseding, deleting, and both."""

from __future__ import annotations

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.expectations import Expectation, expectations, label_shuffled, standing
from hybridmem.evaluation.stream import Stream, StreamDelete, StreamFact, make_stream


def fact(night: int, id: str, answer: str, supersedes: str | None = None, relation: str = "") -> StreamFact:
    return StreamFact(night, id, f"{id} is {answer}.", answer, (f"What is {id}?",), supersedes, relation)


MOVES = Stream((fact(1, "a", "Riga"), fact(2, "b", "Oslo", "a"), fact(3, "c", "Porto", "a"), StreamDelete(4, "c")))


def test_a_new_value_holds_from_its_night_on():
    assert expectations(MOVES, 1) == {"a": Expectation("Riga")}
    assert expectations(MOVES, 2) == {"a": Expectation("Oslo", ("Riga",)), "b": Expectation("Oslo", ("Riga",))}


def test_superseding_the_first_again_supersedes_the_second():
    assert expectations(MOVES, 3)["b"] == Expectation("Porto", ("Riga", "Oslo"))


def test_a_value_that_holds_again_is_not_stale():
    back = Stream((fact(1, "a", "Riga"), fact(2, "b", "Oslo", "a"), fact(3, "c", "riga", "b")))
    assert expectations(back, 3)["a"] == Expectation("riga", ("Oslo",))


def test_a_deleted_newest_value_leaves_nothing_to_expect():
    after = expectations(MOVES, 4)
    assert after["a"] == after["b"] == after["c"] == Expectation(None, (), ("Porto",))


def test_a_deleted_old_value_leaves_the_new_one():
    stream = Stream((fact(1, "a", "Riga"), fact(2, "b", "Oslo", "a"), StreamDelete(2, "a")))
    assert expectations(stream, 2) == {"a": Expectation(None, (), ("Riga",)), "b": Expectation("Oslo")}


def test_shuffled_labels_come_from_the_same_relation_and_never_hold():
    stream = make_stream(7, 5, 20)
    shuffled = label_shuffled(stream, 1)
    assert shuffled == label_shuffled(stream, 1) != label_shuffled(stream, 2)
    assert shuffled.probes == stream.probes
    newest = expectations(stream, 5)
    answers = {}
    for one in stream.facts:
        answers.setdefault(one.relation, set()).add(one.answer)
    for true, told in zip(stream.facts, shuffled.facts, strict=True):
        assert (told.answer, told.test_questions, told.id) == (true.answer, true.test_questions, true.id)
        assert any(value in told.text for value in answers[true.relation] - {true.answer})
        assert true.answer not in told.text.replace(".", "").split()
        assert newest[true.id].answer is None or newest[true.id].answer not in told.text.replace(".", "").split()


def test_labels_that_cannot_be_shuffled():
    with pytest.raises(InvalidInput, match="fact 'a' cannot be given another value"):
        label_shuffled(Stream((fact(1, "a", "Riga"),)), 0)


def test_what_stands_is_neither_superseded_nor_deleted_by_then():
    stream = Stream(
        (
            StreamFact(1, "a", "a is x.", "x", ("a?",)),
            StreamFact(1, "b", "b is y.", "y", ("b?",)),
            StreamFact(2, "c", "a is z.", "z", ("a now?",), supersedes="a"),
            StreamDelete(3, "b"),
        )
    )
    assert [[fact.id for fact in standing(stream, night)] for night in (1, 2, 3)] == [["a", "b"], ["b", "c"], ["c"]]


def test_a_line_stands_in_its_newest_fact_even_where_two_replace_one():
    facts = [StreamFact(1, "a", "a is x.", "x", ("a?",))]
    facts += [StreamFact(night, id, f"a is {id}.", id, ("a?",), supersedes="a") for night, id in ((2, "b"), (3, "c"))]
    assert [fact.id for fact in standing(Stream(tuple(facts)), 3)] == ["c"]
