"""Questions by grammar alone: each asks of the subject for what stands in the object's place, or there is none."""

from __future__ import annotations

import pytest

from hybridmem.dreaming.reading.turned import asked


@pytest.mark.parametrize(
    ("statement", "question", "answer"),
    [
        ("Paigas Treskol plays the tuba.", "What does Paigas Treskol play?", "the tuba"),
        ("Daizi Brevot works as a lawyer.", "What does Daizi Brevot work as?", "a lawyer"),
        ("Ana sold the Polo in the summer.", "What did Ana sell?", "the Polo"),
        ("Sikes Wobru is learning to speak Danish.", "What is Sikes Wobru learning to speak?", "Danish"),
        ("The user has started reading The Dispossessed.", "What has the user started reading?", "The Dispossessed"),
        ("The home port of the ferry Jabra is Tampa.", "What is the home port of the ferry Jabra?", "Tampa"),
        ("The user's shoes are size 43.", "What are the user's shoes?", "size 43"),
        ("Since May, the Dresis server listens on port 95.", "What does the Dresis server listen on?", "port 95"),
        ("Ana Brito rents a room above a bar in Lagos.", "Where does Ana Brito rent a room above a bar?", "Lagos"),
        ("Ana Brito has a dog called Prawu.", "What is Ana Brito's dog called?", "Prawu"),
        ("Priya owes the user a beer because she bet.", "What does Priya owe the user?", "a beer"),
        ("The group of Ana meets every Tuesday.", "When does the group of Ana meet?", "every Tuesday"),
        ("The boat is open from 8:40.", "From when is the boat open?", "8:40"),
        ("The worker is stuck on Python 3.9 until May.", "What is the worker stuck on?", "Python 3.9"),
        ("The user's bill for May came to 18,430 euros.", "What did the user's bill for May come to?", "18,430 euros"),
        ("Ana Brito is responsible for the Lebru server.", "Who is responsible for the Lebru server?", "Ana Brito"),
        ("The Gohais project was put off and ships in March.", "When does the Gohais project ship?", "March"),
        ("April is when the Vatrom project goes to them.", "When does the Vatrom project go to them?", "April"),
        ("The studio is booked for the Lopask team.", "What is booked for the Lopask team?", "The studio"),
    ],
)  # fmt: skip
def test_a_statement_is_turned_round(statement: str, question: str, answer: str) -> None:
    assert (question, answer) in asked(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "The user can't have cashews.",
        "Ana never eats fish.",
        "Ana lost the key.",
        "Ana and Ben live in Riga.",
        "He lives in Riga.",
        "When Ana left, Ben cooked.",
        "Marcus told the user that his wife is expecting.",
        "Asics Gel-Nimbus.",
        "Ana lives at 12, Baker Street.",
        "",
    ],
)
def test_what_is_not_plain_is_not_asked(statement: str) -> None:
    assert asked(statement) == []


def test_the_subject_is_asked_for_only_where_the_rest_names_somebody_or_a_number() -> None:
    assert all(answer == "the tuba" for _, answer in asked("Ana Brito plays the tuba."))
    assert ("What belongs to Ana Brito?", "locker 892") in asked("At the pool, locker 892 belongs to Ana Brito.")
    assert ("Who has locker 12?", "Ana Brito") in asked("Ana Brito has locker 12.")
    assert ("What is 95?", "The new price") not in asked("The new price is 95.")


@pytest.mark.parametrize("statement", ["The boxes of Ana are red.", "The user's running shoes are red."])
def test_a_noun_that_looks_like_a_verb_is_none(statement: str) -> None:
    ((question, answer),) = asked(statement)
    assert (question.split()[1], answer) == ("are", "red")
